/** Allows a rate with a burst: a bucket of `burst` tokens that fills at `perSecond`. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #burst: number
  #tokens: number
  #filledAt: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#tokens = burst
    this.#filledAt = now
  }

  /** Takes `amount` and says true, or takes nothing. */
  take(amount: number, now: number): boolean {
    this.#fill(now)
    if (amount > this.#tokens) return false
    this.#tokens -= amount
    return true
  }

  /** Whole milliseconds until `amount` can be taken; Infinity where it never can. */
  waitMs(amount: number, now: number): number {
    this.#fill(now)
    if (amount <= this.#tokens) return 0
    if (amount > this.#burst || this.#perSecond === 0) return Infinity
    return Math.ceil(((amount - this.#tokens) / this.#perSecond) * 1000)
  }

  #fill(now: number): void {
    const grown = (Math.max(0, now - this.#filledAt) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#burst, this.#tokens + grown)
    this.#filledAt = now
  }
}
