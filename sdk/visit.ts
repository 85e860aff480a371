import type { Memory } from './memory.ts'

const idleMs = 30 * 60_000

/** What this device gave to others in one visit: all pages of the site, until half an hour goes by without any. */
export class Visit {
  readonly #memory: Memory
  readonly #date: () => number

  /** @param date milliseconds that go on from page to page */
  constructor(memory: Memory, date: () => number) {
    this.#memory = memory
    this.#date = date
  }

  get uploadedBytes(): number {
    const [bytes = 0, at] = this.#memory.get('visit')?.split(' ').map(Number) ?? []
    return at !== undefined && this.#date() - at < idleMs && bytes > 0 ? bytes : 0
  }

  /** Counts what was given since; nothing given keeps the visit going. */
  add(bytes: number): void {
    this.#memory.set('visit', `${this.uploadedBytes + bytes} ${this.#date()}`)
  }
}
