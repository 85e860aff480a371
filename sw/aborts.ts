/** What is to end with a signal, by one listener: of a response with many chunks under way each waits for the same one. */
export class Aborts {
  readonly #actions = new WeakMap<AbortSignal, Set<() => void>>()

  /** Calls `action` once the signal aborts, unless the returned function is called before. */
  on(signal: AbortSignal, action: () => void): () => void {
    const actions = this.#actions.get(signal) ?? this.#listen(signal)
    actions.add(action)
    return () => actions.delete(action)
  }

  #listen(signal: AbortSignal): Set<() => void> {
    const actions = new Set<() => void>()
    this.#actions.set(signal, actions)
    signal.addEventListener('abort', () => actions.forEach((action) => action()))
    return actions
  }
}
