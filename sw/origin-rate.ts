import type { Bytes } from '../protocol/bytes.ts'
import { RateMeter } from '../protocol/rate-meter.ts'

/** How fast the origin's bodies come while somebody waits for them, all responses together. */
export class OriginRate {
  readonly #now: () => number
  readonly #meter = new RateMeter()
  #waiting = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get bytesPerSecond(): number | undefined {
    return this.#meter.bytesPerSecond
  }

  async measure(take: () => Promise<Bytes>): Promise<Bytes> {
    this.#waiting += 1
    this.#meter.started(this.#now())
    let length = 0
    try {
      const bytes = await take()
      length = bytes.length
      return bytes
    } finally {
      this.#waiting -= 1
      this.#meter.moved(length, this.#now())
      if (this.#waiting === 0) this.#meter.paused()
    }
  }
}
