import type { Bytes } from '../protocol/bytes.ts'
import { RateMeter } from '../protocol/rate-meter.ts'
import { RecentTimes } from './recent-times.ts'

/** What is assumed of an origin that was not measured yet: the rate, that a peer is as good. */
const unknownBytesPerSecond = 2_000_000
const unknownLatencyMs = 100
/** Answers wait for one of the browser's few connections, too: the quicker ones say what the origin is like. */
const ordinaryShare = 0.25
const hangMs = 400

/**
 * How soon the origin would answer, all responses together: the measure of what peers are worth, for a page must not
 * wait longer for them than it would without us.
 */
export class OriginPace {
  readonly #now: () => number
  readonly #meter = new RateMeter()
  readonly #latencies = new RecentTimes()
  #waiting = 0
  #reading = 0
  /** Since when somebody waits and nothing came. */
  #silentSince = 0
  #pendingBytes = 0
  #openResponses = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether any page waits for anything. */
  get isAwaited(): boolean {
    return this.#pendingBytes > 0
  }

  /** How long it usually takes to begin to answer, and at least what it takes now. */
  get latencyMs(): number {
    return Math.max(this.#silentMs, this.#latencies.percentile(ordinaryShare) ?? unknownLatencyMs)
  }

  /** How long that takes when it takes long. */
  get longLatencyMs(): number {
    return this.#latencies.percentile(0.95) ?? unknownLatencyMs
  }

  /** Whether the origin was asked and has not given anything for so long that one would look elsewhere. */
  get isHanging(): boolean {
    return this.#silentMs > Math.max(hangMs, 2 * this.longLatencyMs)
  }

  /** How long it gave nothing although it was asked. */
  get #silentMs(): number {
    return this.#waiting > 0 ? this.#now() - this.#silentSince : 0
  }

  /**
   * In how many milliseconds the origin would have brought so many bytes more if it alone had to bring all that
   * pages wait for. @param bytes as it would send them
   */
  dueMs(bytes: number): number {
    return this.latencyMs + this.#transferMs(this.#pendingBytes + bytes)
  }

  /** How long after the chunk before it a response would have one of so many bytes, beside the others that are open. */
  nextMs(bytes: number): number {
    return this.#transferMs(this.#openResponses * bytes)
  }

  /** A response begins to wait for something, or has all that it asked for. */
  waits(begins: boolean): void {
    this.#openResponses += begins ? 1 : -1
  }

  #transferMs(bytes: number): number {
    return (bytes / (this.#meter.bytesPerSecond ?? unknownBytesPerSecond)) * 1000
  }

  /** A page waits for so many bytes more, from wherever; the function says that it does not any longer. */
  waitFor(bytes: number): () => void {
    this.#pendingBytes += bytes
    return () => void (this.#pendingBytes -= bytes)
  }

  /** An answer of the origin. */
  async open(ask: () => Promise<Response>): Promise<Response> {
    const askedAt = this.#now()
    return this.#wait(async () => {
      const response = await ask()
      this.#latencies.add(this.#now() - askedAt)
      return response
    })
  }

  /** A piece of an answer's body. @param wireShare how much of it came over the line */
  async measure(take: () => Promise<Bytes>, wireShare: number): Promise<Bytes> {
    this.#reading += 1
    this.#meter.started(this.#now())
    let length = 0
    try {
      const bytes = await this.#wait(take)
      length = bytes.length
      return bytes
    } finally {
      this.#reading -= 1
      this.#meter.moved(length * wireShare, this.#now())
      if (this.#reading === 0) this.#meter.paused()
    }
  }

  async #wait<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#waiting === 0) this.#silentSince = this.#now()
    this.#waiting += 1
    try {
      const result = await work()
      this.#silentSince = this.#now()
      return result
    } finally {
      this.#waiting -= 1
    }
  }
}
