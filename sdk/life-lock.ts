import type { Locks } from './leadership.ts'

/**
 * A lock that is held until the signal aborts, or this tab is gone in whatever way: the browser frees it at once where
 * a tab crashed, which says nothing else to anybody. Resolves with its name once it is held, with undefined where the
 * browser gives none.
 */
export function holdLifeLock(locks: Locks | undefined, base: string, signal: AbortSignal): Promise<string | undefined> {
  const name = `nearhand-life ${base} ${crypto.randomUUID()}`
  return new Promise((resolve) => {
    if (locks === undefined) {
      resolve(undefined)
      return
    }
    const over = new Promise<void>((end) => signal.addEventListener('abort', () => end()))
    const held = (): Promise<void> => {
      resolve(name)
      return over
    }
    locks.request(name, { signal }, held).catch(() => resolve(undefined))
  })
}
