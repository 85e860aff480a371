import type { Asset } from './chunks.ts'
import type { Bytes } from './bytes.ts'
import { bytesOfBase64 } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { contentIdOf } from './hash.ts'
import type { ContentId } from './ids.ts'
import { clockSkewSeconds, freshLimitBytes, headLimitBytes, partLimitBytes, rootLimitBytes } from './limits.ts'
import type { BinRow, Fresh, Head, IndexRow, Root } from './manifest.ts'
import { assetOfRow, mediaTypes, parseBin, parseFresh, parseHead, parseIndexPage, parseRoot } from './manifest.ts'
import { rowPath, sectionOf } from './paths.ts'
import { keyIdOf, openEnvelope } from './signature.ts'

/** The newest that a device has seen of a site. Kept before it is used, so that a restart forgets no floor. */
export interface ManifestFloor {
  readonly seq: number
  readonly issued: number
}

/** Gives the bytes of a part, from anywhere: they are checked against the id here. */
export type ReadPart = (id: ContentId) => Promise<Bytes>

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
  #head: Head | undefined
  #headHash: ContentId | undefined
  /** Paths of the head that count: all, where the release key signed it. */
  #prefixes: readonly string[] = []

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
    return this.#head
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
    // Rollback: an older catalogue, or an older word about the same one.
    const floor = Math.max(this.#floor.seq, this.root.floor)
    if (fresh.seq < floor || fresh.issued < this.#floor.issued) {
      throw new ProtocolError('rollback', 'Cannot accept fresh: older than what was seen')
    }
    // Equivocation: two heads under one number.
    if (this.#fresh && fresh.seq === this.#fresh.seq && fresh.head !== this.#fresh.head) {
      throw new ProtocolError('equivocal', `Cannot accept fresh: two heads with seq ${fresh.seq}`)
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
    if (head.expires <= now - clockSkewSeconds) throw new ProtocolError('expired', 'Cannot accept head: it expired')
    this.#head = head
    this.#headHash = fresh.head
    this.#prefixes = prefixes
    return head
  }

  /** Whether the accepted head is the one that the newest fresh names. */
  get isCurrent(): boolean {
    return this.#head !== undefined && this.#headHash === this.#fresh?.head
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

  /**
   * The asset at a canonical path, or undefined where the catalogue proves that there is none.
   * Throws a ProtocolError where a part is not what its name says.
   */
  async find(path: string, read: ReadPart): Promise<Asset | undefined> {
    const head = this.#head
    if (head === undefined) return undefined
    const wanted = rowPath(path)
    if (!this.#counts(wanted)) return undefined
    let rows = head.index
    for (let depth = head.indexDepth; ; depth -= 1) {
      const row = lastAtOrBefore(rows, wanted)
      if (row === undefined) return undefined
      const part = await readChecked(row.id, read)
      if (depth === 0) return findInBin(parseBin(part), wanted, head)
      rows = parseIndexPage(part)
    }
  }

  /** Every asset in path order, for tools that check a whole site. */
  async *assets(read: ReadPart): AsyncGenerator<Asset> {
    const head = this.#head
    if (head === undefined) return
    for await (const asset of walk(head.index, head.indexDepth, head, read)) if (this.#counts(asset.path)) yield asset
  }

  /** A stolen key of a server that publishes by itself must not reach the rest of the site. */
  #counts(path: string): boolean {
    return this.#prefixes.some((prefix) => path.startsWith(prefix))
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

async function* walk(rows: readonly IndexRow[], depth: number, head: Head, read: ReadPart): AsyncGenerator<Asset> {
  for (const row of rows) {
    const part = await readChecked(row.id, read)
    if (depth > 0) yield* walk(parseIndexPage(part), depth - 1, head, read)
    else for (const bin of parseBin(part)) yield assetOfRow(bin, head, sectionOf(bin[0], head.sections))
  }
}

async function readChecked(id: ContentId, read: ReadPart): Promise<Bytes> {
  const part = await read(id)
  if (part.length > partLimitBytes) throw new ProtocolError('oversized', 'Cannot read part: over its limit')
  if ((await contentIdOf(part)) !== id) throw new ProtocolError('untrusted', 'Cannot read part: not what its name says')
  return part
}

function findInBin(rows: readonly BinRow[], path: string, head: Head): Asset | undefined {
  const row = rows.find((candidate) => candidate[0] === path)
  return row && assetOfRow(row, head, sectionOf(row[0], head.sections))
}

function lastAtOrBefore(rows: readonly IndexRow[], path: string): IndexRow | undefined {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rows[middle]
    if (row !== undefined && row.first <= path) low = middle + 1
    else high = middle
  }
  return low > 0 ? rows[low - 1] : undefined
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
