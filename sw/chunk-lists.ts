import { listIndex, pageIndex } from '../protocol/bridge.ts'
import { bytesOfHex, hexOf } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import {
  chunkLength,
  hasList,
  hasPages,
  listLength,
  pageLength,
  pageOfChunk,
  parseChunkList,
  parsePage,
} from '../protocol/chunks.ts'
import { chunkListsInMemory, digestsPerPage } from '../protocol/limits.ts'
import type { Chunk, VerifiedBytes } from './verify.ts'

/** Digests, and the list or page that they stand in where there is one. */
interface DigestRun {
  readonly digests: readonly Uint8Array[]
  readonly bytes: VerifiedBytes | undefined
}

/** What vouches for a chunk, to be stored with it. */
export interface Proof {
  readonly list: VerifiedBytes | undefined
  /** Where the list has pages: the one that names the chunk. */
  readonly page: VerifiedBytes | undefined
}

/** Reads a list or a page from whoever has it, checked. */
export type ReadList = (chunk: Chunk) => Promise<VerifiedBytes>

/** The lists and pages that were read in this life of the worker, by their hash, least recently used first. */
export class ChunkLists {
  readonly #known = new Map<string, DigestRun>()

  find(hash: string): DigestRun | undefined {
    const run = this.#known.get(hash)
    if (run) this.accept(hash, run)
    return run
  }

  accept(hash: string, run: DigestRun): DigestRun {
    this.#known.delete(hash)
    this.#known.set(hash, run)
    const [oldest] = this.#known.keys()
    if (this.#known.size > chunkListsInMemory && oldest !== undefined) this.#known.delete(oldest)
    return run
  }
}

/**
 * Knows what the chunks of one asset are to be, for one response. A list is read at once; of its pages, where it has
 * pages, those that chunks need.
 */
export class AssetDigests {
  /** The list is here, or the asset needs none. */
  readonly list: Promise<DigestRun>
  readonly #asset: Asset
  readonly #lists: ChunkLists
  readonly #readPage: ReadList
  readonly #pages = new Map<number, Promise<DigestRun>>()

  /** @param readPage may try for longer than `readList`, whose failure still has a good answer */
  constructor(asset: Asset, lists: ChunkLists, readList: ReadList, readPage: ReadList) {
    this.#asset = asset
    this.#lists = lists
    this.#readPage = readPage
    this.list = hasList(asset)
      ? this.#read(listChunk(asset), readList, (bytes) => parseChunkList(bytes, asset).digests)
      : Promise.resolve({ digests: [bytesOfHex(asset.id)], bytes: undefined })
    this.list.catch(() => {}) // told to whoever checks a chunk
  }

  /** The chunk at a place of the asset, to be read while what vouches for it is on its way. */
  chunk(index: number): Chunk {
    const { size, chunkSize } = this.#asset
    const digest = this.#digestOf(index)
    digest.catch(() => {}) // told to whoever checks the chunk
    return { index, offset: index * chunkSize, length: chunkLength(size, chunkSize, index), digest }
  }

  /** Reads the page ahead that this chunk needs; whether it comes is seen when it is needed. */
  readAhead(index: number): void {
    if (hasPages(this.#asset)) this.#page(pageOfChunk(index)).catch(() => {})
  }

  async proofOf(index: number): Promise<Proof> {
    const { bytes } = await this.list
    const page = hasPages(this.#asset) ? (await this.#page(pageOfChunk(index))).bytes : undefined
    return { list: bytes, page }
  }

  async #digestOf(index: number): Promise<Uint8Array> {
    const isPaged = hasPages(this.#asset)
    const { digests } = await (isPaged ? this.#page(pageOfChunk(index)) : this.list)
    const digest = digests[isPaged ? index % digestsPerPage : index]
    if (digest === undefined) throw new RangeError(`Cannot read chunk ${index}: the asset has fewer`)
    return digest
  }

  #page(page: number): Promise<DigestRun> {
    const known = this.#pages.get(page)
    if (known) return known
    const read = this.#findPage(page)
    this.#pages.set(page, read)
    read.catch(() => this.#pages.delete(page)) // the next chunk asks again
    return read
  }

  async #findPage(page: number): Promise<DigestRun> {
    const digest = (await this.list).digests[page]
    if (digest === undefined) throw new RangeError(`Cannot read page ${page}: the list has fewer`)
    const chunk = { index: pageIndex(page), offset: 0, length: pageLength(this.#asset, page), digest }
    return this.#read(chunk, this.#readPage, (bytes) => parsePage(bytes, this.#asset, page))
  }

  async #read(
    chunk: Chunk & { readonly digest: Uint8Array },
    read: ReadList,
    parse: (bytes: VerifiedBytes) => readonly Uint8Array[],
  ): Promise<DigestRun> {
    const hash = hexOf(chunk.digest)
    const known = this.#lists.find(hash)
    if (known) return known
    const bytes = await read(chunk)
    return this.#lists.accept(hash, { digests: parse(bytes), bytes })
  }
}

/** The list as something to read like a chunk: the asset's id is its hash. */
function listChunk({ id, size, chunkSize }: Asset): Chunk & { readonly digest: Uint8Array } {
  return { index: listIndex, offset: 0, length: listLength(size, chunkSize), digest: bytesOfHex(id) }
}
