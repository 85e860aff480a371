/** When each signed object ends, in seconds since 1970. */
export interface Lives {
  readonly root: number
  readonly head: number
  readonly fresh: number
}

const warnSeconds = 30 * 86_400
const headWarnSeconds = 7 * 86_400
const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
] as const

/** Until when visitors use peers without a newer publish. @param now seconds since 1970 */
export function describeLives({ root, head, fresh }: Lives, now: number): string {
  const end = Math.min(root, head, fresh)
  if (end <= now) return `Visitors use no peers: what was signed ended on ${minuteOf(end)} UTC`
  // A newer publish renews all but the root.
  const advice =
    end === root ? 'run nearhand keys renew before, and publish' : 'publish again before, even if nothing changed'
  return `Visitors use peers until ${minuteOf(end)} UTC: ${advice}`
}

/** What to tell of a root that ends soon or has ended; undefined where there is time. @param now seconds since 1970 */
export function rootWarning(expires: number, now: number): string | undefined {
  if (expires - now > warnSeconds) return undefined
  const tense = expires <= now ? 'ended' : 'ends'
  const loss = expires <= now ? 'visitors use no peers' : 'from then on visitors use no peers'
  return (
    `The root of the keys ${tense} on ${minuteOf(expires)} UTC, ${loss}: ` +
    'run nearhand keys renew where root.key is, and publish'
  )
}

/** What to tell of a head that this machine cannot renew; undefined where there is time. @param now seconds since 1970 */
export function headWarning(expires: number, now: number): string | undefined {
  if (expires === 0 || expires - now > headWarnSeconds) return undefined
  return `What was published ${expires <= now ? 'ended' : 'ends'} on ${minuteOf(expires)} UTC: run nearhand publish where head.key is`
}

/** A time as the command line takes it, such as `15m`. */
export function describeDuration(seconds: number): string {
  const [size, unit] = units.find(([length]) => seconds % length === 0) ?? [1, 's']
  return `${seconds / size}${unit}`
}

function minuteOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')
}
