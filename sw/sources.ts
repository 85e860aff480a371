import type { SourceName } from '../protocol/bridge.ts'
import type { Bytes } from '../protocol/bytes.ts'
import type { PeerId } from '../protocol/ids.ts'
import { OriginError } from './error-budget.ts'
import type { Chunk, VerifiedBytes } from './verify.ts'
import { verify } from './verify.ts'

/** What a source handed over for one chunk. Nobody has looked at the bytes yet. */
export interface Delivery {
  readonly bytes: Bytes
  readonly peer?: PeerId
  /** Tells the source that the bytes were not the chunk's. */
  refuse(): void
}

/** A chunk that one source was asked for, and is still to be had of others. */
export interface Ask {
  /** As of `read`. */
  readonly answer: Promise<Delivery | undefined>
  /** Whether it is on its way already, so that asking another would have it brought twice. */
  isComing?(): boolean
  /** Nobody waits for it any more; the answer may then never come. @param isLate because it took too long */
  withdraw(isLate: boolean): void
}

export interface ChunkSource {
  readonly name: SourceName
  /** Undefined where the source does not have it; a failure may also be thrown. */
  read(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined>
}

export interface CheckedChunk {
  readonly chunk: Chunk
  readonly bytes: VerifiedBytes
  readonly source: SourceName
  readonly peer: PeerId | undefined
}

/** A source handed over so many bytes that were not the chunk's. */
export type OnBad = (source: SourceName, bytes: number) => void

/**
 * Walks the sources in their order until one hands over the very chunk. Each chunk comes whole from one source: a
 * chunk patched together could not be blamed on anybody.
 */
export async function readVerified(
  chunk: Chunk,
  sources: readonly ChunkSource[],
  onBad: OnBad,
  signal: AbortSignal,
): Promise<CheckedChunk> {
  let cause: unknown
  for (const source of sources) {
    signal.throwIfAborted()
    let delivery: Delivery | undefined
    try {
      delivery = await source.read(chunk, signal)
    } catch (error) {
      cause = error
    }
    if (delivery === undefined) continue
    const bytes = await verify(delivery.bytes, chunk)
    const { peer } = delivery
    const name = peer === undefined ? source.name : 'peer'
    if (bytes) return { chunk, bytes, source: name, peer }
    onBad(name, delivery.bytes.length)
    delivery.refuse()
  }
  signal.throwIfAborted()
  throw new OriginError(`Cannot read chunk ${chunk.index}: every source failed`, { cause })
}
