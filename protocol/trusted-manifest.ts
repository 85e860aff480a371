import type { ReadPart } from './catalogue.ts'
import { Catalogue } from './catalogue.ts'
import type { Asset } from './chunks.ts'
import { bytesOfBase64 } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { checkHead, openAnyHead, openHeadOf, rolesInCharge } from './head-roles.ts'
import type { ContentId } from './ids.ts'
import { clockSkewSeconds, freshLimitBytes, rootLimitBytes } from './limits.ts'
import type { Fresh, Head, HeadRole, NamedHead, Root } from './manifest.ts'
import { mediaTypes, parseFresh, parseRoot, releaseRole } from './manifest.ts'
import { rowPath } from './paths.ts'
import { keyIdOf, openEnvelope } from './signature.ts'

/** Opens a root that signs itself, as pinned in the worker file. */
export async function openPinnedRoot(envelope: string | Uint8Array): Promise<Root> {
  const text = typeof envelope === 'string' ? envelope : new TextDecoder().decode(envelope)
  // The body is read once unchecked, only to learn the keys it must then be signed with.
  const claimed = parseRoot(bytesOfBase64(payloadOf(text)))
  return openRoot(text, claimed)
}

/**
 * Opens the root that follows one that is believed: the keys of both must have signed it. Without the old ones anybody
 * could follow, without the new ones a root could be made that nobody can follow.
 */
export async function openNextRoot(before: Root, envelope: string): Promise<Root> {
  const root = parseRoot(await openEnvelope(envelope, mediaTypes.root, rootLimitBytes, before.roles.root, before.keys))
  if (root.site !== before.site) throw new ProtocolError('foreign', 'Cannot follow root: made for another site')
  // Skipping one would skip those who were to agree to it; going back is a rollback.
  if (root.version !== before.version + 1) {
    throw new ProtocolError('rollback', `Cannot follow root: version ${root.version} after ${before.version}`)
  }
  // Fast-forward and back: what was taken back by a floor must not return with the next root.
  if (root.floor < before.floor) throw new ProtocolError('rollback', 'Cannot follow root: its floor is lower')
  return openRoot(envelope, root)
}

async function openRoot(text: string, claimed: Root): Promise<Root> {
  const root = parseRoot(await openEnvelope(text, mediaTypes.root, rootLimitBytes, claimed.roles.root, claimed.keys))
  for (const [id, key] of Object.entries(root.keys)) {
    // One key under two names would count twice against a threshold.
    if ((await keyIdOf(bytesOfBase64(key.public))) !== id) {
      throw new ProtocolError('untrusted', 'Cannot open root: a key is not named by its hash')
    }
  }
  return root
}

/** A head that was believed. */
export interface BelievedHead {
  readonly hash: ContentId
  readonly catalogue: Catalogue
}

/** Two heads of one role under one number: nobody knows which of them is the site's. */
export class EquivocationError extends ProtocolError {
  readonly named: NamedHead

  constructor(named: NamedHead) {
    super('equivocal', `Cannot accept fresh: two heads of role ${named.role} with seq ${named.seq}`)
    this.named = named
  }
}

/** What a client believes of a site's manifest. No I/O: envelopes and parts come in, assets come out. */
export class TrustedManifest {
  readonly root: Root
  #fresh: Fresh | undefined
  readonly #heads = new Map<HeadRole, BelievedHead>()

  constructor(root: Root) {
    this.root = root
  }

  get fresh(): Fresh | undefined {
    return this.#fresh
  }

  /** The heads that were accepted last, also those that the newest fresh names no more. */
  get heads(): ReadonlyMap<HeadRole, BelievedHead> {
    return this.#heads
  }

  /** @param now seconds since 1970 */
  async acceptFresh(envelope: string | Uint8Array, now: number): Promise<Fresh> {
    const { roles, keys, expires } = this.root
    // Keys that were given up long ago must not hold a device for ever; a new worker file brings a new root.
    if (expires <= now - clockSkewSeconds) throw new ProtocolError('expired', 'Cannot accept fresh: the root expired')
    const fresh = parseFresh(await openEnvelope(envelope, mediaTypes.fresh, freshLimitBytes, roles.fresh, keys))
    // Stale keys: a word from before the keys changed, or from after a change that we have not seen.
    if (fresh.root < this.root.version) throw new ProtocolError('rollback', 'Cannot accept fresh: of an older root')
    if (fresh.root > this.root.version) throw new ProtocolError('outdated', 'Cannot accept fresh: of a newer root')
    // Cross-site replay: another site's object, signed by the same owner.
    if (fresh.site !== this.root.site) throw new ProtocolError('foreign', 'Cannot accept fresh: made for another site')
    // Freeze: an old answer replayed to hold a visitor on old content.
    if (fresh.expires <= now - clockSkewSeconds) throw new ProtocolError('expired', 'Cannot accept fresh: it expired')
    if (fresh.issued > now + clockSkewSeconds) {
      throw new ProtocolError('expired', 'Cannot accept fresh: issued in the future')
    }
    this.#assertFollows(fresh)
    // A stolen key: what it signed is to end soon after it, also where nobody hears of the root that takes it back.
    if (fresh.expires - fresh.issued > this.root.freshSeconds) {
      throw new ProtocolError('foreign', 'Cannot accept fresh: its life is longer than the root allows')
    }
    this.#fresh = fresh
    return fresh
  }

  /** The rules hold for the heads of each role by itself. */
  #assertFollows({ heads, issued }: Fresh): void {
    const seen = this.#fresh
    const next = new Map(heads.map((named) => [named.role, named]))
    // Equivocation: two heads under one number, whichever was signed first.
    for (const { role, seq, hash } of seen?.heads ?? []) {
      const named = next.get(role)
      if (named?.seq === seq && named.hash !== hash) throw new EquivocationError(named)
    }
    // Rollback: an older catalogue, or an older word about the same ones. Mix and match: a new head of one role must not
    // bring back an old one of another, nor hide it: who could leave one out could name an old one after that.
    const isOlder = seen?.heads.some(({ role, seq }) => seq > (next.get(role)?.seq ?? 0)) ?? false
    const isBelow = heads.some(({ seq }) => seq < this.root.floor)
    if (isOlder || isBelow || issued < (seen?.issued ?? 0)) {
      throw new ProtocolError('rollback', 'Cannot accept fresh: older than what was seen')
    }
  }

  /** Takes the head that the accepted fresh names for a role, and no other (mix and match). */
  async acceptHead(envelope: string | Uint8Array, now: number, role: HeadRole = releaseRole): Promise<Head> {
    const named = this.#fresh?.heads.find((candidate) => candidate.role === role)
    if (named === undefined) throw new ProtocolError('untrusted', 'Cannot accept head: no fresh names it')
    const { body, prefixes } = await openHeadOf(this.root, role, envelope)
    const head = await checkHead(this.root, body, named.hash, now)
    if (head.seq !== named.seq) throw new ProtocolError('untrusted', 'Cannot accept head: its seq is not that of fresh')
    this.#heads.set(role, { hash: named.hash, catalogue: new Catalogue(head, prefixes) })
    return head
  }

  /** Whether the head of a role is the one that the newest fresh names. */
  isCurrentOf(role: HeadRole): boolean {
    const named = this.#fresh?.heads.find((candidate) => candidate.role === role)
    return named !== undefined && named.hash === this.#heads.get(role)?.hash
  }

  /** Whether all heads that the newest fresh names were accepted. */
  get isCurrent(): boolean {
    return this.#fresh?.heads.every(({ role }) => this.isCurrentOf(role)) ?? false
  }

  /** Whether any head that was accepted has not expired. @param now seconds since 1970 */
  hasLiveHead(now: number): boolean {
    return [...this.#heads.values()].some(({ catalogue }) => catalogue.head.expires > now)
  }

  /** The head that speaks for a path, as long as it lives; the newest fresh may name a newer one. */
  headAt(path: string, now: number): BelievedHead | undefined {
    const role = this.#roleAt(path)
    const head = role === undefined ? undefined : this.#heads.get(role)
    return head !== undefined && head.catalogue.head.expires > now ? head : undefined
  }

  /** Whether the head that speaks for a path lives, and is the one that the newest fresh names. */
  isCurrentAt(path: string, now: number): boolean {
    const role = this.#roleAt(path)
    return role !== undefined && this.isCurrentOf(role) && this.headAt(path, now) !== undefined
  }

  /**
   * Peers are used only while an unexpired fresh allows them.
   * @param now seconds since 1970
   * @param isCutOff whether neither origin nor tracker can be reached: then it holds for its grace
   */
  mayUsePeers(now: number, isCutOff: boolean = false): boolean {
    const fresh = this.#fresh
    const isAnyCurrent = fresh?.heads.some(({ role }) => this.isCurrentOf(role)) ?? false
    return isAnyCurrent && fresh !== undefined && fresh.peers && fresh.expires + (isCutOff ? fresh.grace : 0) > now
  }

  isRevoked(id: ContentId): boolean {
    return this.#fresh?.revoked.includes(id) ?? false
  }

  /** As `Catalogue.find`, in the accepted head that speaks for the path, expired or not. */
  async find(path: string, read: ReadPart): Promise<Asset | undefined> {
    return this.headAt(path, Number.NEGATIVE_INFINITY)?.catalogue.find(path, read)
  }

  /**
   * Another head of the site, which a page that is a deploy behind or ahead still names. Nothing but its own signature
   * and life speaks for it: neither its number nor what it lists counts for anything beyond that page.
   */
  async openOther(
    envelope: string,
    hash: ContentId,
    now: number,
  ): Promise<{ readonly role: HeadRole; readonly catalogue: Catalogue }> {
    const { role, body, prefixes } = await openAnyHead(this.root, envelope)
    return { role, catalogue: new Catalogue(await checkHead(this.root, body, hash, now), prefixes) }
  }

  /** Every asset, for tools that check a whole site: those of one head after the other, each in path order. */
  async *assets(read: ReadPart): AsyncGenerator<Asset> {
    for (const [role, { catalogue }] of this.#heads) {
      for await (const asset of catalogue.assets(read)) if (this.#roleAt(asset.path) === role) yield asset
    }
  }

  #roleAt(path: string): HeadRole | undefined {
    const roles = this.#fresh?.heads.map(({ role }) => role) ?? []
    return rolesInCharge(this.root, roles)(rowPath(path))
  }
}

function payloadOf(envelope: string): string {
  if (envelope.length > rootLimitBytes * 2) throw new ProtocolError('oversized', 'Cannot open root: over its limit')
  try {
    const parsed: unknown = JSON.parse(envelope)
    if (typeof parsed === 'object' && parsed !== null && 'payload' in parsed && typeof parsed.payload === 'string') {
      return parsed.payload
    }
  } catch (cause) {
    throw new ProtocolError('malformed', 'Cannot open root: not JSON', { cause })
  }
  throw new ProtocolError('malformed', 'Cannot open root: no payload')
}
