import type { Asset } from '../protocol/chunks.ts'
import { spanKey, spanLength, spanOfChunk } from '../protocol/store-layout.ts'
import type { VerifiedBytes } from './verify.ts'

/** A span whose chunks are all here, to be written. */
export interface CompleteSpan {
  readonly asset: Asset
  readonly span: number
  readonly body: Blob
}

interface PartialSpan {
  readonly chunks: Map<number, VerifiedBytes>
  bytes: number
}

/** Collects verified chunks until their span is whole. What would exceed `limit` bytes goes, the longest untouched first. */
export class Assembler {
  readonly #limit: number
  /** Longest untouched first. */
  readonly #partial = new Map<string, PartialSpan>()
  #bytes = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes that wait. */
  get bytes(): number {
    return this.#bytes
  }

  /** Gives the span that this chunk completed. */
  add(asset: Asset, index: number, bytes: VerifiedBytes): CompleteSpan | undefined {
    const span = spanOfChunk(asset, index)
    const key = spanKey(asset.id, span)
    const partial = this.#partial.get(key) ?? { chunks: new Map(), bytes: 0 }
    if (partial.chunks.has(index)) return undefined
    partial.chunks.set(index, bytes)
    partial.bytes += bytes.length
    this.#bytes += bytes.length
    this.#partial.delete(key)
    this.#partial.set(key, partial)
    if (partial.bytes === spanLength(asset.size, span)) {
      this.#forget(key, partial)
      const ordered = [...partial.chunks].toSorted(([one], [other]) => one - other)
      return { asset, span, body: new Blob(ordered.map(([, chunk]) => chunk)) }
    }
    while (this.#bytes > this.#limit) {
      const [oldest] = this.#partial
      if (oldest) this.#forget(...oldest)
    }
    return undefined
  }

  #forget(key: string, partial: PartialSpan): void {
    this.#partial.delete(key)
    this.#bytes -= partial.bytes
  }
}
