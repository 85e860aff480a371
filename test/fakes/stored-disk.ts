import type { Bytes } from '../../protocol/bytes.ts'
import { chunkCount, chunkSizeFor, encodeChunkList } from '../../protocol/chunks.ts'
import { contentIdOf, sha256 } from '../../protocol/hash.ts'
import type { StoredAsset, StoreMessage } from '../../protocol/store-layout.ts'
import { listKey, spanCount, spanKey, spanLength, spanSize } from '../../protocol/store-layout.ts'
import type { StoreReader } from '../../sdk/seed-store.ts'

/** What the service worker would have on disk. */
export class StoredDisk implements StoreReader {
  readonly entries = new Map<string, Bytes>()
  readonly assets: StoredAsset[] = []
  readonly reads: string[] = []
  readBytes = 0
  isClosed = false
  #told: (message: StoreMessage) => void = () => {}

  open(told: (message: StoreMessage) => void): Promise<readonly StoredAsset[]> {
    this.#told = told
    return Promise.resolve([...this.assets])
  }

  read(key: string, start?: number, end?: number): Promise<Bytes | undefined> {
    this.reads.push(key)
    const bytes = this.entries.get(key)?.slice(start, end)
    this.readBytes += bytes?.length ?? 0
    return Promise.resolve(bytes)
  }

  close(): void {
    this.isClosed = true
  }

  /** Says what the service worker would say. */
  tell(message: StoreMessage): void {
    this.#told(message)
  }

  /** Puts content there, all of its spans or only some, and returns its row. */
  async put(
    content: Bytes,
    options: { section?: string; path?: string; spans?: readonly number[] } = {},
  ): Promise<StoredAsset> {
    const { section = '/' } = options
    const size = content.length
    const chunkSize = chunkSizeFor(size)
    const digests: Uint8Array[] = []
    for (let at = 0; at < chunkCount(size, chunkSize); at += 1) {
      digests.push(await sha256(content.slice(at * chunkSize, (at + 1) * chunkSize)))
    }
    const list = encodeChunkList({ size, chunkSize, digests })
    const id = await contentIdOf(size > chunkSize ? list : content)
    if (size > chunkSize) this.entries.set(listKey(id), list)
    const spans = options.spans ?? Array.from({ length: spanCount(size) }, (_, span) => span)
    for (const span of spans) {
      const start = span * spanSize(size)
      this.entries.set(spanKey(id, span), content.slice(start, start + spanLength(size, span)))
    }
    const path = options.path ?? `/${this.assets.length}`
    const asset: StoredAsset = { id, path, section, size, chunkSize, spans, usedAt: this.assets.length }
    this.assets.push(asset)
    return asset
  }
}

/** Bytes that differ from place to place and from seed to seed. */
export function contentOf(length: number, seed = 1): Bytes {
  const bytes = new Uint8Array(length)
  for (let at = 0, state = seed; at < length; at += 1) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    bytes[at] = state >>> 16
  }
  return bytes
}
