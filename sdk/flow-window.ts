import { unitBytes, windowCeilingBytes, windowFloorBytes, windowStartBytes } from '../protocol/limits.ts'

const probeQueueMs = 10
const targetQueueMs = 20
const baseLifeMs = 30_000
/** Units that the window gives way by in a round trip, at most. */
const steepestFall = 2

/**
 * How many bytes to have asked of one peer at a time. A browser's SCTP overfills a home line's queue and then crawls
 * for seconds, so the asker goes by delay: half as much again each round trip until units wait 10 ms longer than the
 * quickest seen, from then on towards a wait of 20 ms, as LEDBAT (RFC 6817) does.
 */
export class FlowWindow {
  #bytes = windowStartBytes
  #isProbing = true
  #smoothedMs: number | undefined
  /** The quickest of this period and of the one before: an old route's delay is forgotten. */
  #base = Infinity
  #baseBefore = Infinity
  #baseSince = 0

  get bytes(): number {
    return this.#bytes
  }

  get roundTripMs(): number | undefined {
    return this.#smoothedMs
  }

  /**
   * A unit came.
   * @param delayMs since it was asked for
   * @param wasFull whether the window was what limited us; if not, its size proves nothing and does not grow
   */
  arrived(bytes: number, delayMs: number, wasFull: boolean, now: number): void {
    this.#smoothedMs = this.#smoothedMs === undefined ? delayMs : this.#smoothedMs + (delayMs - this.#smoothedMs) / 8
    const queueMs = delayMs - this.#baseWith(delayMs, now)
    if (this.#isProbing && queueMs > probeQueueMs) this.#isProbing = false
    if (this.#isProbing) {
      if (wasFull) this.#set(this.#bytes + bytes / 2)
      return
    }
    const offTarget = Math.max(-steepestFall, (targetQueueMs - queueMs) / targetQueueMs)
    if (offTarget < 0 || wasFull) this.#set(this.#bytes + (offTarget * bytes * unitBytes) / this.#bytes)
  }

  /** Nothing came for too long: start from below. */
  stalled(): void {
    this.#isProbing = false
    this.#set(this.#bytes / 2)
  }

  #set(bytes: number): void {
    this.#bytes = Math.min(windowCeilingBytes, Math.max(windowFloorBytes, bytes))
  }

  #baseWith(delayMs: number, now: number): number {
    if (now - this.#baseSince > baseLifeMs) {
      this.#baseBefore = this.#base
      this.#base = delayMs
      this.#baseSince = now
    }
    this.#base = Math.min(this.#base, delayMs)
    return Math.min(this.#base, this.#baseBefore)
  }
}
