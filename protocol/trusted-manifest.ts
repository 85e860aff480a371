import type { ReadPart } from './catalogue.ts'
import { Catalogue } from './catalogue.ts'
import type { Asset } from './chunks.ts'
import type { Bytes } from './bytes.ts'
import { bytesOfBase64 } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { contentIdOf } from './hash.ts'
import type { ContentId } from './ids.ts'
import { clockSkewSeconds, freshLimitBytes, headLifeLimitSeconds, headLimitBytes, rootLimitBytes } from './limits.ts'
import type { Fresh, Head, Root } from './manifest.ts'
import { mediaTypes, parseFresh, parseHead, parseRoot } from './manifest.ts'
import { keyIdOf, openEnvelope } from './signature.ts'

/** The newest that a device has seen of a site. Kept before it is used, so that a restart forgets no floor. */
export interface ManifestFloor {
  readonly seq: number
  readonly issued: number
}

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

/** What a client believes of a site's manifest. No I/O: envelopes and parts come in, assets come out. */
export class TrustedManifest {
  readonly root: Root
  #floor: ManifestFloor
  #fresh: Fresh | undefined
  #catalogue: Catalogue | undefined
  #headHash: ContentId | undefined

  constructor(root: Root, floor: ManifestFloor = { seq: 0, issued: 0 }) {
    this.root = root
    this.#floor = floor
  }

  get floor(): ManifestFloor {
    return this.#floor
  }

  get fresh(): Fresh | undefined {
    return this.#fresh
  }

  get head(): Head | undefined {
    return this.#catalogue?.head
  }

  /** The hash of the accepted head's body. */
  get headHash(): ContentId | undefined {
    return this.#headHash
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
    // Equivocation: two heads under one number, whichever was signed first.
    if (this.#fresh && fresh.seq === this.#fresh.seq && fresh.head !== this.#fresh.head) {
      throw new ProtocolError('equivocal', `Cannot accept fresh: two heads with seq ${fresh.seq}`)
    }
    // Rollback: an older catalogue, or an older word about the same one.
    const floor = Math.max(this.#floor.seq, this.root.floor)
    if (fresh.seq < floor || fresh.issued < this.#floor.issued) {
      throw new ProtocolError('rollback', 'Cannot accept fresh: older than what was seen')
    }
    // A stolen key: what it signed is to end soon after it, also where nobody hears of the root that takes it back.
    if (fresh.expires - fresh.issued > this.root.freshSeconds) {
      throw new ProtocolError('foreign', 'Cannot accept fresh: its life is longer than the root allows')
    }
    this.#fresh = fresh
    this.#floor = { seq: fresh.seq, issued: fresh.issued }
    return fresh
  }

  /** Takes the head that the accepted fresh names, and no other (mix and match). */
  async acceptHead(envelope: string | Uint8Array, now: number): Promise<Head> {
    const fresh = this.#fresh
    if (fresh === undefined) throw new ProtocolError('untrusted', 'Cannot accept head: no fresh names it')
    const { body, prefixes } = await openHead(envelope, this.root)
    if ((await contentIdOf(body)) !== fresh.head) {
      throw new ProtocolError('untrusted', 'Cannot accept head: not the one that fresh names')
    }
    const head = parseHead(body)
    if (head.site !== this.root.site) throw new ProtocolError('foreign', 'Cannot accept head: made for another site')
    if (head.seq !== fresh.seq) throw new ProtocolError('untrusted', 'Cannot accept head: its seq is not that of fresh')
    assertLife(head, now)
    this.#catalogue = new Catalogue(head, prefixes)
    this.#headHash = fresh.head
    return head
  }

  /** Whether the accepted head is the one that the newest fresh names. */
  get isCurrent(): boolean {
    return this.#headHash !== undefined && this.#headHash === this.#fresh?.head
  }

  /**
   * Peers are used only while an unexpired fresh allows them.
   * @param now seconds since 1970
   * @param isCutOff whether neither origin nor tracker can be reached: then it holds for its grace
   */
  mayUsePeers(now: number, isCutOff: boolean = false): boolean {
    const fresh = this.#fresh
    return this.isCurrent && fresh !== undefined && fresh.peers && fresh.expires + (isCutOff ? fresh.grace : 0) > now
  }

  /** Whether peers may have to do with what lies at this path. */
  isShared(path: string): boolean {
    return !(this.#fresh?.off.some((prefix) => path.startsWith(prefix)) ?? true)
  }

  isRevoked(id: ContentId): boolean {
    return this.#fresh?.revoked.includes(id) ?? false
  }

  /** As `Catalogue.find`, in the accepted head. */
  async find(path: string, read: ReadPart): Promise<Asset | undefined> {
    return this.#catalogue?.find(path, read)
  }

  /**
   * Another head of the site, which a page that is a deploy behind or ahead still names. Nothing but its own signature
   * and life speaks for it: neither its number nor what it lists counts for anything beyond that page.
   */
  async openOther(envelope: string, hash: ContentId, now: number): Promise<Catalogue> {
    const { body, prefixes } = await openHead(envelope, this.root)
    if ((await contentIdOf(body)) !== hash) {
      throw new ProtocolError('untrusted', 'Cannot open head: not the one that the page names')
    }
    const head = parseHead(body)
    if (head.site !== this.root.site) throw new ProtocolError('foreign', 'Cannot open head: made for another site')
    if (head.seq < this.root.floor) throw new ProtocolError('rollback', 'Cannot open head: below the floor of the root')
    assertLife(head, now)
    return new Catalogue(head, prefixes)
  }

  /** Every asset in path order, for tools that check a whole site. */
  async *assets(read: ReadPart): AsyncGenerator<Asset> {
    if (this.#catalogue) yield* this.#catalogue.assets(read)
  }
}

function assertLife({ expires }: Head, now: number): void {
  if (expires <= now - clockSkewSeconds) throw new ProtocolError('expired', 'Cannot accept head: it expired')
  // A stolen key, as with fresh. Measured from now, so that a head of a time to come gains nothing.
  if (expires > now + headLifeLimitSeconds + clockSkewSeconds) {
    throw new ProtocolError('foreign', 'Cannot accept head: its life is long')
  }
}

/** The body of a head, and for which paths its signers may speak. */
async function openHead(
  envelope: string | Uint8Array,
  { roles, keys }: Root,
): Promise<{ readonly body: Bytes; readonly prefixes: readonly string[] }> {
  for (const role of roles.delegates) {
    try {
      const body = await openEnvelope(envelope, mediaTypes.head, headLimitBytes, role, keys)
      return { body, prefixes: role.prefixes }
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === 'untrusted')) throw error
    }
  }
  return { body: await openEnvelope(envelope, mediaTypes.head, headLimitBytes, roles.head, keys), prefixes: ['/'] }
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
