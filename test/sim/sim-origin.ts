import { SimLine } from './sim-line.ts'

const connections = 6
const pieceBytes = 16 * 1024
/** What a browser takes of a body that nobody reads. */
const unreadBytes = 256 * 1024

export interface OriginShape {
  readonly bitsPerSecond: number
  readonly roundTripMs: number
  /** From then on, after the visit's begin, it takes requests and gives nothing. */
  readonly hangsAtMs?: number
}

/** A server behind a line, and the few connections that a browser has to it. */
export class SimOrigin {
  readonly #shape: OriginShape
  readonly #line: SimLine
  readonly #begin = performance.now()
  #free = connections
  readonly #waiting: (() => void)[] = []

  constructor(shape: OriginShape) {
    this.#shape = shape
    this.#line = new SimLine(shape.bitsPerSecond, shape.roundTripMs)
  }

  get sentBytes(): number {
    return this.#line.sentBytes
  }

  /** @param size of the whole asset; its bytes are zeros @param share of them that a whole answer sends over the line */
  async fetch(size: number, share: number, range: string | undefined, signal?: AbortSignal): Promise<Response> {
    const [start = 0, last = size - 1] = (range?.slice('bytes='.length).split('-') ?? []).map(Number)
    await this.#connect(signal)
    await new Promise((resolve) => setTimeout(resolve, this.#shape.roundTripMs))
    const release = this.#release(signal)
    signal?.throwIfAborted()
    const headers = range ? { 'content-range': `bytes ${start}-${last}/${size}` } : {}
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: unreadBytes })
    const sent = range ? 1 : share
    return new Response(this.#body(last + 1 - start, sent, release, signal, strategy), {
      status: range ? 206 : 200,
      headers,
    })
  }

  #body(
    length: number,
    share: number,
    release: () => void,
    signal: AbortSignal | undefined,
    strategy: ByteLengthQueuingStrategy,
  ): ReadableStream<Uint8Array> {
    let left = length
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => signal?.addEventListener('abort', () => controller.error(signal.reason)),
        pull: async (controller) => {
          const bytes = Math.min(pieceBytes, left)
          await this.#give(bytes * share)
          if (signal?.aborted) return
          controller.enqueue(new Uint8Array(bytes))
          left -= bytes
          if (left > 0) return
          controller.close()
          release()
        },
        cancel: release,
      },
      strategy,
    )
  }

  #give(bytes: number): Promise<void> {
    return new Promise((resolve) => {
      if (performance.now() - this.#begin >= (this.#shape.hangsAtMs ?? Infinity)) return
      // The next piece follows at once: only the first one waits for its way.
      this.#line.send(bytes, resolve, () => {})
    })
  }

  async #connect(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    if (this.#free > 0) {
      this.#free -= 1
      return
    }
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', () => {
        const at = this.#waiting.indexOf(resolve)
        if (at < 0) return
        this.#waiting.splice(at, 1)
        reject(signal.reason)
      })
    })
  }

  #release(signal: AbortSignal | undefined): () => void {
    let isOpen = true
    const release = (): void => {
      if (!isOpen) return
      isOpen = false
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free += 1
    }
    signal?.addEventListener('abort', release)
    if (signal?.aborted) release()
    return release
  }
}
