import * as v from 'valibot'
import { failureFloor, failureShare, failureRestMs } from '../protocol/limits.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'

const stateKey = 'spent'

/**
 * How often we may fail: a few answers in a thousand. Beyond it something is wrong with us on this device, and the site
 * is better off without us for a while. What the origin or peers fail in does not count.
 */
export class ErrorBudget {
  readonly #state: KeptState
  readonly #now: () => number
  readonly #report: (error: unknown) => void
  #loading: Promise<void> | undefined
  #answers = 0
  #failures = 0
  #spentAt = -Infinity

  constructor(state: KeptState, now: () => number, report: (error: unknown) => void) {
    this.#state = state
    this.#now = now
    this.#report = report
  }

  /** Of this life of the worker. */
  get failures(): number {
    return this.#failures
  }

  /** Whether we leave all requests alone for now. Right from the first request on that awaited `load`. */
  get isSpent(): boolean {
    const sinceMs = this.#now() - this.#spentAt
    return sinceMs >= 0 && sinceMs < failureRestMs
  }

  load(): Promise<void> {
    this.#loading ??= loadAs(this.#state, stateKey, v.optional(v.number()), undefined, this.#report).then((at) => {
      this.#spentAt = Math.max(this.#spentAt, at ?? -Infinity)
    })
    return this.#loading
  }

  answered(): void {
    this.#answers += 1
  }

  failed(): void {
    this.#failures += 1
    if (this.isSpent || this.#failures < Math.max(failureFloor, this.#answers * failureShare)) return
    this.#spentAt = this.#now()
    this.#report(new Error(`Cannot go on: ${this.#failures} of ${this.#answers} answers failed`))
    this.#state.save(stateKey, this.#spentAt).catch(this.#report)
  }
}

/** The origin, or the network on the way to it, failed: as it would have without us. */
export class OriginError extends Error {
  override readonly name: string = 'OriginError'
}
