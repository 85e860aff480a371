import type { Bytes } from '../protocol/bytes.ts'
import { isSameBytes } from '../protocol/bytes.ts'
import {
  chunkCount,
  chunkLength,
  hasList,
  pageCount,
  pageOfChunk,
  parseChunkList,
  parsePage,
} from '../protocol/chunks.ts'
import { contentIdOf, contentIdOfDigest, sha256 } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { chunksPerMap, digestsPerPage, seedCacheBytes, seedListsKept } from '../protocol/limits.ts'
import type { HaveState } from '../protocol/peer-wire.ts'
import { listIndexOnWire, pageOfIndexOnWire } from '../protocol/peer-wire.ts'
import type { StoredAsset, StoreMessage } from '../protocol/store-layout.ts'
import { listKey, pageKey, partKey, spanCount, spanKey, spanOfChunk, spanSize } from '../protocol/store-layout.ts'

/** Reads what the service worker stored. The Cache API and IndexedDB in browsers. */
export interface StoreReader {
  /** Calls `told` with each later change, then gives what is there now. */
  open(told: (message: StoreMessage) => void): Promise<readonly StoredAsset[]>
  /** The bytes from `start` up to `end`, all of them without; fewer where the entry is shorter. */
  read(key: string, start?: number, end?: number): Promise<Bytes | undefined>
  close(): void
}

/** A chunk list, or a page of one, whose bytes are what its hash says. */
interface DigestRun {
  readonly bytes: Bytes
  readonly digests: readonly Uint8Array[]
}

/**
 * The assets that this device can give to others. Any script of the site can write the store, and a disk can rot, so
 * a chunk is checked against its list or id each time it is read from disk, before the first byte leaves. Never more
 * than the chunk is read: a peer that wants a little of many would keep the disk busy with all of them.
 */
export class SeedStore {
  readonly #reader: StoreReader
  readonly #assets = new Map<ContentId, StoredAsset>()
  /** Checked; the one used longest ago comes first. */
  readonly #chunks = new Map<string, Bytes>()
  /** Lists by content id, pages by their hash. */
  readonly #lists = new Map<ContentId, DigestRun>()
  #chunkBytes = 0
  #changed: (asset: StoredAsset) => void = () => {}

  constructor(reader: StoreReader) {
    this.#reader = reader
  }

  /** @param changed told of each asset that came, grew or went; `find` says what holds from then on */
  async open(changed: (asset: StoredAsset) => void): Promise<void> {
    this.#changed = changed
    const dropped = new Set<ContentId>()
    const stored = await this.#reader.open((message) => {
      if (message.type === 'dropped') dropped.add(message.id)
      this.#accept(message)
    })
    for (const asset of stored) {
      if (!this.#assets.has(asset.id) && !dropped.has(asset.id)) this.#accept({ type: 'stored', asset })
    }
  }

  close(): void {
    this.#reader.close()
    this.#changed = () => {}
  }

  find(id: ContentId): StoredAsset | undefined {
    return this.#assets.get(id)
  }

  stateOf(id: ContentId): HaveState {
    const asset = this.#assets.get(id)
    if (asset === undefined || asset.spans.length === 0) return 'gone'
    return asset.spans.length >= spanCount(asset.size) ? 'whole' : 'part'
  }

  /** Those of one section, the one used last first. */
  assetsOf(section: string): readonly StoredAsset[] {
    return [...this.#assets.values()]
      .filter((asset) => asset.section === section)
      .toSorted((one, other) => other.usedAt - one.usedAt)
  }

  /** Which chunks are held, as the `map` frame says it. */
  mapOf(asset: StoredAsset): { scale: number; count: number; bits: Uint8Array } {
    const chunks = chunkCount(asset.size, asset.chunkSize)
    let scale = 0
    while (Math.ceil(chunks / 2 ** scale) > chunksPerMap) scale += 1
    const count = Math.ceil(chunks / 2 ** scale)
    const bits = new Uint8Array(Math.ceil(count / 8)).fill(0xff)
    const clear = (bit: number): void => void (bits[bit >>> 3] = (bits[bit >>> 3] ?? 0) & ~(0x80 >>> (bit & 7)))
    for (let after = count; after < bits.length * 8; after += 1) clear(after)
    const spans = new Set(asset.spans)
    for (let index = 0; index < chunks; index += 1) if (!spans.has(spanOfChunk(asset, index))) clear(index >>> scale)
    return { scale, count, bits }
  }

  /** A checked chunk, the chunk list or a page of it; undefined where it is not held or is not what it should be. */
  async read(id: ContentId, index: number): Promise<Bytes | undefined> {
    const asset = this.#assets.get(id)
    if (asset === undefined) return undefined
    const page = pageOfIndexOnWire(index)
    // Of a partial asset a page may be missing, and everything else be there all the same.
    if (page !== undefined) return page < pageCount(asset) ? this.#readList(asset, page) : undefined
    const isHeld = index === listIndexOnWire ? hasList(asset) : this.#hasChunk(asset, index)
    if (!isHeld) return undefined
    const bytes = await this.#readHeld(asset, index)
    // It was evicted, tampered with, or the disk fails: nobody else is to ask for it.
    if (bytes === undefined) this.#accept({ type: 'dropped', id })
    return bytes
  }

  /** A bin or index page that this device has read, checked. */
  async readPart(id: ContentId): Promise<Bytes | undefined> {
    try {
      return (await this.#digests(id, partKey(id), () => []))?.bytes
    } catch {
      return undefined // the Cache API failed
    }
  }

  #hasChunk(asset: StoredAsset, index: number): boolean {
    return index < chunkCount(asset.size, asset.chunkSize) && asset.spans.includes(spanOfChunk(asset, index))
  }

  async #readHeld(asset: StoredAsset, index: number): Promise<Bytes | undefined> {
    if (index === listIndexOnWire) return this.#readList(asset)
    try {
      return await this.#chunk(asset, index)
    } catch {
      return undefined // the Cache API failed, or what lies there is no chunk list
    }
  }

  async #readList(asset: StoredAsset, page?: number): Promise<Bytes | undefined> {
    try {
      return (await (page === undefined ? this.#list(asset) : this.#page(asset, page)))?.bytes
    } catch {
      return undefined // as above
    }
  }

  async #chunk(asset: StoredAsset, index: number): Promise<Bytes | undefined> {
    const key = `${asset.id}/${index}`
    const known = this.#forget(key)
    const bytes = known ?? (await this.#readChunk(asset, index))
    if (bytes === undefined) return undefined
    this.#forget(key)
    this.#chunks.set(key, bytes)
    this.#chunkBytes += bytes.length
    for (const oldest of this.#chunks.keys()) {
      if (this.#chunkBytes <= seedCacheBytes) break
      this.#forget(oldest)
    }
    return bytes
  }

  async #readChunk(asset: StoredAsset, index: number): Promise<Bytes | undefined> {
    const span = spanOfChunk(asset, index)
    const start = index * asset.chunkSize - span * spanSize(asset.size)
    const end = start + chunkLength(asset.size, asset.chunkSize, index)
    const bytes = await this.#reader.read(spanKey(asset.id, span), start, end)
    return bytes && (await this.#isGenuine(asset, index, bytes)) ? bytes : undefined
  }

  #accept(message: StoreMessage): void {
    const id = message.type === 'stored' ? message.asset.id : message.id
    const before = this.#assets.get(id)
    if (message.type === 'stored') this.#assets.set(id, message.asset)
    else {
      this.#assets.delete(id)
      this.#lists.delete(id)
      for (const key of this.#chunks.keys()) if (key.startsWith(id)) this.#forget(key)
    }
    const asset = message.type === 'stored' ? message.asset : before
    if (asset) this.#changed(asset)
  }

  async #isGenuine(asset: StoredAsset, index: number, chunk: Bytes): Promise<boolean> {
    if (!hasList(asset)) return (await contentIdOf(chunk)) === asset.id
    const isPaged = pageCount(asset) > 0
    const run = await (isPaged ? this.#page(asset, pageOfChunk(index)) : this.#list(asset))
    const digest = run?.digests[isPaged ? index % digestsPerPage : index]
    return digest !== undefined && isSameBytes(await sha256(chunk), digest)
  }

  #list(asset: StoredAsset): Promise<DigestRun | undefined> {
    return this.#digests(asset.id, listKey(asset.id), (bytes) => parseChunkList(bytes, asset).digests)
  }

  async #page(asset: StoredAsset, page: number): Promise<DigestRun | undefined> {
    const digest = (await this.#list(asset))?.digests[page]
    if (digest === undefined) return undefined
    return this.#digests(contentIdOfDigest(digest), pageKey(asset.id, page), (bytes) => parsePage(bytes, asset, page))
  }

  async #digests(
    id: ContentId,
    key: string,
    parse: (bytes: Bytes) => readonly Uint8Array[],
  ): Promise<DigestRun | undefined> {
    const known = this.#lists.get(id)
    if (known) return known
    const bytes = await this.#reader.read(key)
    if (bytes === undefined || (await contentIdOf(bytes)) !== id) return undefined
    const run = { bytes, digests: parse(bytes) }
    this.#lists.set(id, run)
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= seedListsKept) break
      this.#lists.delete(oldest)
    }
    return run
  }

  #forget(key: string): Bytes | undefined {
    const bytes = this.#chunks.get(key)
    this.#chunkBytes -= bytes?.length ?? 0
    this.#chunks.delete(key)
    return bytes
  }
}
