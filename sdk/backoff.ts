/** The pause before try number `attempt` (0 first): doubles from `firstMs` up to `mostMs`, drawn from its upper half. */
export function backoffMs(attempt: number, firstMs: number, mostMs: number, random: () => number): number {
  const whole = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30))
  // Spread out, so that the visitors of a restarted tracker do not all come back in one moment.
  return whole * (0.5 + random() / 2)
}

/** A pause of `ms`, give or take a quarter. */
export function jitterMs(ms: number, random: () => number): number {
  return ms * (0.75 + random() / 2)
}
