import { setImmediate } from 'node:timers/promises'
import type { Clock } from '../../sdk/clock.ts'

/** Time that stands until a test moves it. */
export class FakeClock implements Clock {
  #now = 1000
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>()

  now(): number {
    return this.#now
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), action }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** How many actions wait. */
  get waiting(): number {
    return this.#timers.size
  }

  /** Moves on by `ms`, running what falls due in its order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await rest()
      const due = [...this.#timers].filter(({ at }) => at <= end).toSorted((one, other) => one.at - other.at)[0]
      if (due === undefined) break
      this.#timers.delete(due)
      this.#now = due.at
      due.action()
    }
    this.#now = end
    await rest()
  }
}

/** Lets everything that has been set off come to an end, hashing in other threads included. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate()
}

/** Waits for a condition without moving the fake time. */
export async function until(isTrue: () => boolean): Promise<void> {
  // Signatures are checked in other threads, which a busy machine lets wait.
  for (let turn = 0; turn < 500_000; turn += 1) {
    if (isTrue()) return
    await setImmediate()
  }
  throw new Error('Cannot go on: the condition never came true')
}
