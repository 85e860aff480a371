import type { Bytes } from '../protocol/bytes.ts'
import { concatBytes } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { unitBytes } from '../protocol/limits.ts'

/** Reads a body in pieces of wished lengths, and never further than it is asked to. */
export class BodyReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  #left: Uint8Array = new Uint8Array(0)

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader()
  }

  /** Exactly `length` bytes in a buffer of their own; fewer only where the body ends before. */
  async take(length: number): Promise<Bytes> {
    const bytes = new Uint8Array(length)
    let at = 0
    while (at < length) {
      const piece = await this.#next()
      if (piece === undefined) return bytes.slice(0, at)
      const part = piece.subarray(0, length - at)
      bytes.set(part, at)
      at += part.length
      this.#left = piece.subarray(part.length)
    }
    return bytes
  }

  /** Whether there was so much to throw away. */
  async skip(length: number): Promise<boolean> {
    let left = length
    while (left > 0) {
      const { length: read } = await this.take(Math.min(left, unitBytes))
      if (read === 0) return false
      left -= read
    }
    return true
  }

  /** Lets a body that was read whole end cleanly, so that the browser's HTTP cache keeps it; cancels a longer one. */
  async finish(): Promise<void> {
    const next = await this.#reader?.read()
    if (next && !next.done) await this.cancel()
  }

  async cancel(): Promise<void> {
    await this.#reader?.cancel()
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#left.length > 0) return this.#left
    const result = await this.#reader?.read()
    return result?.value
  }
}

/** A whole body of at most `limit` bytes; what is longer is cut off and refused (endless data). */
export async function readBounded(response: Response, limit: number, what: string): Promise<Bytes> {
  const reader = response.body?.getReader()
  const pieces: Uint8Array[] = []
  let length = 0
  for (;;) {
    const piece = await reader?.read()
    if (!piece || piece.done) return concatBytes(pieces)
    length += piece.value.length
    if (length > limit) {
      await reader?.cancel()
      throw new ProtocolError('oversized', `Cannot read ${what}: over ${limit} bytes`)
    }
    pieces.push(piece.value)
  }
}
