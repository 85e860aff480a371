const failurePauseMs = 5000
const longestPauseMs = 60_000
const longestBusyMs = 10_000
const hopelessFailures = 5
const weight = 0.25

/** What experience with one peer says about asking it again. */
export class Standing {
  #failureRate = 0
  #failuresInRow = 0
  #restedUntil = -Infinity
  #busyUntil = -Infinity

  get failureRate(): number {
    return this.#failureRate
  }

  /** So often late, and never on time in between, that it is of no use, or drips on purpose. */
  get isHopeless(): boolean {
    return this.#failuresInRow >= hopelessFailures
  }

  isAvailable(now: number): boolean {
    return now >= this.#restedUntil && now >= this.#busyUntil
  }

  succeeded(): void {
    this.#failureRate *= 1 - weight
    this.#failuresInRow = 0
  }

  /** It stalled or was late: it rests, each time twice as long. */
  failed(now: number): void {
    // What else was asked of it fails in the same moment and is no news.
    if (now < this.#restedUntil) return
    this.#failureRate += weight * (1 - this.#failureRate)
    this.#restedUntil = now + Math.min(longestPauseMs, failurePauseMs * 2 ** this.#failuresInRow)
    this.#failuresInRow += 1
  }

  /** It said that it is busy, which is no failure. */
  refused(retryAfterMs: number, now: number): void {
    this.#busyUntil = now + Math.min(retryAfterMs, longestBusyMs)
  }
}
