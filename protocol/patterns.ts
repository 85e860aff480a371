import { patternLength, patternLimit, patternWildcards } from './limits.ts'

/**
 * Decides synchronously whether a path is ours. A pattern begins with `/`; `*` stands for any characters but
 * `/`, `**` for any. A pattern with a leading `!` takes out what the others named.
 *
 * @example isOurs = compilePatterns(['/**.jpg', '/video/**', '!/video/private/**'])
 * @throws TypeError where a pattern is not of that form, RangeError where there are too many
 */
export function compilePatterns(patterns: readonly string[]): (path: string) => boolean {
  if (patterns.length > patternLimit) throw new RangeError(`Cannot compile patterns: more than ${patternLimit}`)
  const named = patterns.filter((pattern) => !pattern.startsWith('!')).map(compile)
  const except = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => compile(pattern.slice(1)))
  return (path) => named.some((form) => form.test(path)) && !except.some((form) => form.test(path))
}

function compile(pattern: string): RegExp {
  if (!pattern.startsWith('/') || pattern.length > patternLength || /[\s?#\\]/.test(pattern)) {
    throw new TypeError(`Cannot compile pattern: ${JSON.stringify(pattern.slice(0, 80))} is not a path with stars`)
  }
  const stars = pattern.match(/\*+/g) ?? []
  // Each star multiplies the work on a path that does not match: few are enough and stay fast.
  if (stars.length > patternWildcards || stars.some((run) => run.length > 2)) {
    throw new TypeError(`Cannot compile pattern: ${JSON.stringify(pattern)} has more than ${patternWildcards} stars`)
  }
  const source = pattern
    .split(/(\*+)/)
    .map((piece) => (piece === '**' ? '.*' : piece === '*' ? '[^/]*' : piece.replace(/[.+^${}()|[\]]/g, '\\$&')))
    .join('')
  return new RegExp(`^${source}$`)
}
