import { refreshPauseLimitMs, refreshPauseMs, refreshWaitMs } from '../protocol/limits.ts'
import { within } from './deadline.ts'
import { OriginError } from './error-budget.ts'

export interface RefresherOptions {
  /** Asks the origin for its newest word and takes it. */
  readonly refresh: () => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly onFailed: () => void
  readonly report: (error: unknown) => void
}

/** When the origin is asked for its newest word: one ask at a time, rarely where it fails, and who may wait for it. */
export class Refresher {
  readonly #options: RefresherOptions
  #running: Promise<void> | undefined
  /** Whether requests wait a moment for the refresh under way. */
  #isAwaited = false
  #isOriginSilent = false
  #triedAt = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(options: RefresherOptions) {
    this.#options = options
  }

  /** Whether the origin gave no answer at all when it was asked last. */
  get isOriginSilent(): boolean {
    return this.#isOriginSilent
  }

  /** Since when it was asked last, in milliseconds. */
  get sinceMs(): number {
    return this.#options.now() - this.#triedAt
  }

  /** How long it is not asked again, which grows with each failure. */
  get pauseMs(): number {
    return Math.min(refreshPauseMs * 2 ** this.#failures, refreshPauseLimitMs)
  }

  /** Resolves when no refresh is under way any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** What is under way, or is begun now. Its failure is reported and makes the next one wait longer. */
  run(): Promise<void> {
    this.#running ??= this.#run()
    return this.#running
  }

  /** As `run`, and requests wait a moment for it. */
  runAwaited(): Promise<void> {
    this.#isAwaited = true
    return this.run()
  }

  /**
   * Waits for what is under way and awaited, never long. False where it still is.
   * @param isAwaited whether to wait also for what nobody asked to
   */
  async wait(isAwaited: boolean): Promise<boolean> {
    if (this.#running === undefined || !(this.#isAwaited || isAwaited)) return true
    const isDone = this.#running.then(() => true)
    return (await within(refreshWaitMs, isDone)) === true
  }

  /** The origin answered. */
  heard(): void {
    this.#isOriginSilent = false
  }

  async #run(): Promise<void> {
    const { refresh, now, onFailed, report } = this.#options
    this.#triedAt = now()
    try {
      await refresh()
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      // No answer at all; one that says no, or says nonsense, is an origin that can be reached.
      if (error instanceof OriginError && error.cause !== undefined) this.#isOriginSilent = true
      onFailed()
      report(error)
    } finally {
      this.#running = undefined
      this.#isAwaited = false
    }
  }
}
