/** Time as the exchange and the swarm see it, so that tests can move it. */
export interface Clock {
  /** Milliseconds, never going back. */
  now(): number
  /** Runs `action` once after `delayMs`, unless the returned function is called before. */
  after(delayMs: number, action: () => void): () => void
}

export function createSystemClock(): Clock {
  return {
    now: () => performance.now(),
    after: (delayMs, action) => {
      const timer = setTimeout(action, delayMs)
      return () => clearTimeout(timer)
    },
  }
}
