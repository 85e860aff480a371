interface Entry {
  readonly dueMs: number
  readonly act: () => void
}

/** Acts at given times, strictly in the order of entry: timers of their own could overtake each other by a millisecond. */
export class TimedQueue {
  #entries: Entry[] = []
  #timer: NodeJS.Timeout | undefined
  #lastDueMs = 0

  /** @param dueMs of `performance.now()`; never before that of the entry ahead */
  push(dueMs: number, act: () => void): void {
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs)
    this.#entries.push({ dueMs: this.#lastDueMs, act })
    this.#arm()
  }

  #arm(): void {
    const [next] = this.#entries
    if (next === undefined || this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#run(), Math.max(0, next.dueMs - performance.now()))
  }

  #run(): void {
    this.#timer = undefined
    const now = performance.now()
    const later = this.#entries.findIndex((entry) => entry.dueMs > now)
    const due = this.#entries.splice(0, later < 0 ? this.#entries.length : later)
    for (const entry of due) entry.act()
    this.#arm()
  }
}
