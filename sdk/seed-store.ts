import type { Bytes } from '../protocol/bytes.ts'
import { isSameBytes } from '../protocol/bytes.ts'
import type { ChunkList } from '../protocol/chunks.ts'
import { chunkCount, chunkLength, hasList, parseChunkList } from '../protocol/chunks.ts'
import { contentIdOf, sha256 } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { seedCacheBytes, seedListsKept } from '../protocol/limits.ts'
import type { HaveState } from '../protocol/peer-wire.ts'
import { listIndexOnWire } from '../protocol/peer-wire.ts'
import type { StoredAsset, StoreMessage } from '../protocol/store-layout.ts'
import { listKey, spanCount, spanKey, spanOfChunk, spanSize } from '../protocol/store-layout.ts'

/** Reads what the service worker stored. The Cache API and IndexedDB in browsers. */
export interface StoreReader {
  /** Calls `told` with each later change, then gives what is there now. */
  open(told: (message: StoreMessage) => void): Promise<readonly StoredAsset[]>
  /** The bytes from `start` up to `end`, all of them without; fewer where the entry is shorter. */
  read(key: string, start?: number, end?: number): Promise<Bytes | undefined>
  close(): void
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
  readonly #lists = new Map<ContentId, { readonly bytes: Bytes; readonly list: ChunkList }>()
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
  mapOf(asset: StoredAsset): { count: number; bits: Uint8Array } {
    const count = chunkCount(asset.size, asset.chunkSize)
    const bits = new Uint8Array(Math.ceil(count / 8))
    const spans = new Set(asset.spans)
    for (let index = 0; index < count; index += 1) {
      if (spans.has(spanOfChunk(asset, index))) bits[index >>> 3] = (bits[index >>> 3] ?? 0) | (0x80 >>> (index & 7))
    }
    return { count, bits }
  }

  /** A checked chunk, or the chunk list; undefined where it is not held or is not what it should be. */
  async read(id: ContentId, index: number): Promise<Bytes | undefined> {
    const asset = this.#assets.get(id)
    const isHeld = asset && (index === listIndexOnWire ? hasList(asset) : this.#hasChunk(asset, index))
    if (!isHeld) return undefined
    const bytes = await this.#readHeld(asset, index)
    // It was evicted, tampered with, or the disk fails: nobody else is to ask for it.
    if (bytes === undefined) this.#accept({ type: 'dropped', id })
    return bytes
  }

  #hasChunk(asset: StoredAsset, index: number): boolean {
    return index < chunkCount(asset.size, asset.chunkSize) && asset.spans.includes(spanOfChunk(asset, index))
  }

  async #readHeld(asset: StoredAsset, index: number): Promise<Bytes | undefined> {
    try {
      return index === listIndexOnWire ? (await this.#list(asset))?.bytes : await this.#chunk(asset, index)
    } catch {
      return undefined // the Cache API failed, or what lies there is no chunk list
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
    const digest = (await this.#list(asset))?.list.digests[index]
    return digest !== undefined && isSameBytes(await sha256(chunk), digest)
  }

  async #list(asset: StoredAsset): Promise<{ bytes: Bytes; list: ChunkList } | undefined> {
    const known = this.#lists.get(asset.id)
    if (known) return known
    const bytes = await this.#reader.read(listKey(asset.id))
    if (bytes === undefined || (await contentIdOf(bytes)) !== asset.id) return undefined
    const entry = { bytes, list: parseChunkList(bytes, asset) }
    this.#lists.set(asset.id, entry)
    for (const oldest of this.#lists.keys()) {
      if (this.#lists.size <= seedListsKept) break
      this.#lists.delete(oldest)
    }
    return entry
  }

  #forget(key: string): Bytes | undefined {
    const bytes = this.#chunks.get(key)
    this.#chunkBytes -= bytes?.length ?? 0
    this.#chunks.delete(key)
    return bytes
  }
}
