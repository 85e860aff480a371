import type { Memory } from './memory.ts'

const dayMs = 86_400_000

/** What this device gave to others today (UTC): all pages of the site together. */
export class UploadDay {
  readonly #memory: Memory
  readonly #date: () => number
  readonly #limitBytes: number

  /** @param date milliseconds since 1970 */
  constructor(memory: Memory, date: () => number, limitBytes: number) {
    this.#memory = memory
    this.#date = date
    this.#limitBytes = limitBytes
  }

  /** Days since 1970. */
  get day(): number {
    return Math.floor(this.#date() / dayMs)
  }

  get uploadedBytes(): number {
    const [bytes = 0, day] = this.#memory.get('day')?.split(' ').map(Number) ?? []
    return day === this.day && bytes > 0 ? bytes : 0
  }

  /** That may still be given today. */
  get leftBytes(): number {
    return Math.max(0, this.#limitBytes - this.uploadedBytes)
  }

  add(bytes: number): void {
    this.#memory.set('day', `${this.uploadedBytes + bytes} ${this.day}`)
  }
}
