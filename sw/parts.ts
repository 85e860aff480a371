import type { Bytes } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { contentIdOf } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { partAgainMs, partsInMemory } from '../protocol/limits.ts'

/** Where parts lie between lives of the worker. Every call may fail, and what is read may be anything. */
export interface PartCache {
  read(id: ContentId): Promise<Bytes | undefined>
  write(id: ContentId, bytes: Bytes): Promise<void>
  keepOnly(ids: readonly ContentId[]): Promise<void>
}

interface Read {
  readonly bytes: Promise<Bytes>
  failedAt?: number
}

/** Bins and index pages: from memory, from the device, or from the origin. */
export class Parts {
  readonly #cache: PartCache
  readonly #fetch: (id: ContentId) => Promise<Bytes>
  readonly #now: () => number
  /** Longest unused first. */
  readonly #reads = new Map<ContentId, Read>()

  constructor(cache: PartCache, fetch: (id: ContentId) => Promise<Bytes>, now: () => number) {
    this.#cache = cache
    this.#fetch = fetch
    this.#now = now
  }

  /** Requests of one moment share a read, also a failed one: a missing part is not asked for with each of them. */
  async read(id: ContentId): Promise<Bytes> {
    const known = this.#reads.get(id)
    const isWorthAgain = known?.failedAt !== undefined && this.#now() - known.failedAt >= partAgainMs
    const read: Read = known && !isWorthAgain ? known : { bytes: this.#load(id) }
    this.#reads.delete(id)
    this.#reads.set(id, read)
    const [oldest] = this.#reads.keys()
    if (this.#reads.size > partsInMemory && oldest !== undefined) this.#reads.delete(oldest)
    try {
      return await read.bytes
    } catch (error) {
      read.failedAt ??= this.#now()
      throw error
    }
  }

  /** Forgets the parts that a new head no longer names. Those below an index page come again from the HTTP cache. */
  async keepOnly(ids: readonly ContentId[]): Promise<void> {
    for (const id of this.#reads.keys()) if (!ids.includes(id)) this.#reads.delete(id)
    await this.#cache.keepOnly(ids).catch(() => {}) // the device may have thrown it away itself
  }

  async #load(id: ContentId): Promise<Bytes> {
    const cached = await this.#cache.read(id).catch(() => undefined)
    // A script of the page can write there: one altered part must not hide the real one.
    if (cached && (await contentIdOf(cached)) === id) return cached
    const bytes = await this.#fetch(id)
    if ((await contentIdOf(bytes)) !== id) {
      throw new ProtocolError('untrusted', 'Cannot read part: not what its name says')
    }
    await this.#cache.write(id, bytes).catch(() => {}) // then it is read again
    return bytes
  }
}
