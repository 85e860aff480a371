const failurePauseMs = 2000
/** Of one that gave before: a hiccup. */
const hiccupPauseMs = 1000
const longestPauseMs = 60_000
const longestBusyMs = 10_000
const hopelessFailures = 6
const weight = 0.25
const lateLimit = 3
const lateMemoryMs = 30_000

/** What experience with one peer says about asking it again. */
export class Standing {
  #failureRate = 0
  #failuresInRow = 0
  #lateAt: readonly number[] = []
  #hasGiven = false
  #restedUntil = -Infinity
  #busyUntil = -Infinity

  get failureRate(): number {
    return this.#failureRate
  }

  /** So often late, and never on time in between, that it is of no use, or drips on purpose. */
  get isHopeless(): boolean {
    return this.#failuresInRow >= hopelessFailures
  }

  /** Whether it gave something, and nothing went wrong since: others are trusted with little at a time. */
  get isProven(): boolean {
    return this.#hasGiven && this.#failuresInRow === 0
  }

  /** Whether nothing is known of it, bad or good. */
  get isUntried(): boolean {
    return !this.#hasGiven && this.#failuresInRow === 0
  }

  isAvailable(now: number): boolean {
    return now >= this.#restedUntil && now >= this.#busyUntil
  }

  succeeded(): void {
    this.#failureRate *= 1 - weight
    this.#failuresInRow = 0
    this.#hasGiven = true
  }

  /** It took too long for one chunk, which is bad luck; three times in half a minute, or as its first deed, is a failure. */
  late(now: number): void {
    this.#lateAt = [...this.#lateAt.filter((at) => now - at < lateMemoryMs), now]
    if (this.isProven && this.#lateAt.length < lateLimit) return
    this.#lateAt = []
    this.failed(now)
  }

  /** It stalled or said what is not so: it rests, each time twice as long. */
  failed(now: number): void {
    // What else was asked of it fails in the same moment and is no news.
    if (now < this.#restedUntil) return
    this.#failureRate += weight * (1 - this.#failureRate)
    const pauseMs = this.isProven ? hiccupPauseMs : failurePauseMs * 2 ** this.#failuresInRow
    this.#restedUntil = now + Math.min(longestPauseMs, pauseMs)
    this.#failuresInRow += 1
  }

  /** It said that it is busy, which is no failure. */
  refused(retryAfterMs: number, now: number): void {
    this.#busyUntil = now + Math.min(retryAfterMs, longestBusyMs)
  }
}
