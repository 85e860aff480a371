/** Those who wait until something changed. */
export class Wakes {
  readonly #waiting = new Set<() => void>()

  wake(): void {
    for (const wake of this.#waiting) wake()
  }

  /** Resolves at the next change, or when the signal is aborted. */
  next(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal?.addEventListener('abort', wake)
    })
  }
}
