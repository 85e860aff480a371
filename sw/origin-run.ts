import type { Bytes } from '../protocol/bytes.ts'
import type { BodyReader } from './body-reader.ts'
import type { OriginPace } from './origin-pace.ts'
import type { Chunk } from './verify.ts'

/** Chunks from `first` up to but not with `end` that one request to the origin brings. */
export interface RunExtent {
  readonly first: number
  readonly end: number
}

/** One open request to the origin. Its body is read in order, and only as far as chunks were asked for. */
export class OriginRun {
  /** The only chunk that can be taken now. */
  #next: number
  readonly #end: number
  readonly #controller = new AbortController()
  #taken: Promise<unknown>
  readonly #body: Promise<BodyReader>
  readonly #pace: OriginPace
  readonly #wireShare: number
  readonly #wanted = new Set<number>()
  #hasBegun = false

  constructor(
    { first, end }: RunExtent,
    open: (signal: AbortSignal) => Promise<BodyReader>,
    pace: OriginPace,
    wireShare: number,
  ) {
    this.#pace = pace
    this.#wireShare = wireShare
    this.#next = first
    this.#end = end
    this.#body = open(this.#controller.signal)
    this.#taken = this.#body.then(() => (this.#hasBegun = true))
    this.#taken.catch(() => {}) // every `take` tells of it
  }

  get next(): number {
    return this.#next
  }

  /** Whether there are chunks left to take. */
  get isOpen(): boolean {
    return this.#next < this.#end && !this.#controller.signal.aborted
  }

  /** Whether nobody waits for it. */
  get isIdle(): boolean {
    return this.#wanted.size === 0
  }

  /** @param chunk with the index `next` */
  async take(chunk: Chunk): Promise<Bytes> {
    if (chunk.index !== this.#next) throw new RangeError(`Cannot take chunk ${chunk.index}: ${this.#next} comes next`)
    this.#next += 1
    this.#wanted.add(chunk.index)
    const isLast = this.#next === this.#end
    const bytes = this.#taken.then(async () => {
      const body = await this.#body
      return this.#pace.measure(() => body.take(chunk.length), this.#wireShare)
    })
    this.#taken = bytes
    try {
      return await bytes
    } finally {
      this.#wanted.delete(chunk.index)
      if (isLast) void this.#finish()
    }
  }

  /** Whether this chunk is on its way. */
  isBringing(index: number): boolean {
    return this.#hasBegun && this.#wanted.has(index)
  }

  /** Nobody waits for this chunk any more. Whether it was to come from here. */
  drop(index: number): boolean {
    return this.#wanted.delete(index)
  }

  close(): void {
    this.#controller.abort()
  }

  async #finish(): Promise<void> {
    try {
      await (await this.#body).finish()
    } catch {
      // The chunks are there: how the connection ended matters to nobody.
    }
  }
}
