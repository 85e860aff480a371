/**
 * How long a browser may keep what is at a path. Pages are always revalidated: they name everything else. A name
 * that carries a hash of its content never means anything else.
 */
export function cacheControlOf(path: string, contentType: string, cacheSeconds: number): string {
  if (contentType.startsWith('text/html')) return 'no-cache'
  if (hasHash(path)) return 'public, max-age=31536000, immutable'
  return cacheSeconds > 0 ? `public, max-age=${cacheSeconds}` : 'no-cache'
}

/**
 * `name-<hash>.ext`: 8 or more characters of lower-case hex with a digit and a letter, or of base 62 with all three
 * kinds. Narrow on purpose: a word or a date taken for a hash would freeze a file for a year.
 */
function hasHash(path: string): boolean {
  const run = /[-.]([A-Za-z0-9]{8,64})\.[A-Za-z0-9.]{1,16}$/.exec(path)?.[1]
  if (run === undefined || !/\d/.test(run)) return false
  return (/^[0-9a-f]+$/.test(run) && /[a-f]/.test(run)) || (/[a-z]/.test(run) && /[A-Z]/.test(run))
}
