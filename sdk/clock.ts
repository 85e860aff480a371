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

/** The same clock, but what an action throws goes to `failed` instead of to the page. */
export function guardClock(clock: Clock, failed: (error: unknown) => void): Clock {
  const guarded = (action: () => void) => (): void => {
    try {
      action()
    } catch (error) {
      failed(error)
    }
  }
  return { now: () => clock.now(), after: (delayMs, action) => clock.after(delayMs, guarded(action)) }
}
