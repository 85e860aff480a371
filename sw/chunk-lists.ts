import { listIndex } from '../protocol/bridge.ts'
import { bytesOfHex } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import { chunkLength, hasList, listLength, parseChunkList } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { chunkListsInMemory } from '../protocol/limits.ts'
import type { Chunk, VerifiedBytes } from './verify.ts'

/** The digests of an asset's chunks, and the list that they stand in where there is one. */
export interface Digests {
  readonly digests: readonly Uint8Array[]
  readonly list: VerifiedBytes | undefined
}

/** Knows the chunks of assets: those of one chunk, and those whose list was read in this life of the worker. */
export class ChunkLists {
  /** Least recently used first. */
  readonly #known = new Map<ContentId, Digests>()

  find(asset: Asset): Digests | undefined {
    if (!hasList(asset)) return { digests: [bytesOfHex(asset.id)], list: undefined }
    const digests = this.#known.get(asset.id)
    if (digests) this.#remember(asset.id, digests)
    return digests
  }

  /** @param list what the asset's `listChunk` was found to be */
  accept(asset: Asset, list: VerifiedBytes): Digests {
    const digests = { digests: parseChunkList(list, asset).digests, list }
    this.#remember(asset.id, digests)
    return digests
  }

  #remember(id: ContentId, digests: Digests): void {
    this.#known.delete(id)
    this.#known.set(id, digests)
    const [oldest] = this.#known.keys()
    if (this.#known.size > chunkListsInMemory && oldest !== undefined) this.#known.delete(oldest)
  }
}

/** The list as something to read like a chunk: the asset's id is its hash. */
export function listChunk({ id, size, chunkSize }: Asset): Chunk {
  return { index: listIndex, offset: 0, length: listLength(size, chunkSize), digest: bytesOfHex(id) }
}

export function chunkOf({ size, chunkSize }: Asset, digests: Promise<Digests>, index: number): Chunk {
  const digest = digests.then((known) => digestAt(known, index))
  digest.catch(() => {}) // told to whoever checks the chunk
  return { index, offset: index * chunkSize, length: chunkLength(size, chunkSize, index), digest }
}

function digestAt({ digests }: Digests, index: number): Uint8Array {
  const digest = digests[index]
  if (digest === undefined) throw new RangeError(`Cannot read chunk ${index}: the asset has ${digests.length}`)
  return digest
}
