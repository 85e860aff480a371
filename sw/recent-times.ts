import { timesKept } from '../protocol/limits.ts'

/** How long the last few of something took. */
export class RecentTimes {
  readonly #times: number[] = []

  add(ms: number): void {
    if (this.#times.push(ms) > timesKept) this.#times.shift()
  }

  /** @param share between 0 and 1: so many of them took no longer; undefined as long as there are none */
  percentile(share: number): number | undefined {
    const sorted = this.#times.toSorted((one, other) => one - other)
    return sorted[Math.ceil(share * sorted.length) - 1]
  }
}
