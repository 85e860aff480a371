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
  return (path) => named.some((pieces) => isMatch(pieces, path)) && !except.some((pieces) => isMatch(pieces, path))
}

/** A pattern as literals and stars in turn. */
type Pieces = readonly string[]

function compile(pattern: string): Pieces {
  if (!pattern.startsWith('/') || pattern.length > patternLength || /[\s?#\\]/.test(pattern)) {
    throw new TypeError(`Cannot compile pattern: ${JSON.stringify(pattern.slice(0, 80))} is not a path with stars`)
  }
  const stars = pattern.match(/\*+/g) ?? []
  if (stars.length > patternWildcards || stars.some((run) => run.length > 2)) {
    throw new TypeError(`Cannot compile pattern: ${JSON.stringify(pattern)} has more than ${patternWildcards} stars`)
  }
  return pattern.split(/(\*+)/).filter((piece) => piece !== '')
}

/**
 * Walks the pieces with all positions that they can have reached so far, so the work grows with the length of the
 * path alone. A regular expression would try the ways one after another, minutes for a path made for it, and
 * whoever writes a link chooses the path.
 */
function isMatch(pieces: Pieces, path: string): boolean {
  let reached: readonly number[] = [0]
  for (const piece of pieces) {
    reached = piece.startsWith('*') ? afterStar(piece, reached, path) : afterLiteral(piece, reached, path)
    if (reached.length === 0) return false
  }
  return reached.at(-1) === path.length
}

function afterLiteral(literal: string, reached: readonly number[], path: string): number[] {
  return reached.filter((at) => path.startsWith(literal, at)).map((at) => at + literal.length)
}

/** Ascending, each position once. */
function afterStar(star: string, reached: readonly number[], path: string): number[] {
  const after: number[] = []
  for (const start of reached) {
    const slash = star === '**' ? -1 : path.indexOf('/', start)
    const end = slash < 0 ? path.length : slash
    for (let at = Math.max(start, (after.at(-1) ?? -1) + 1); at <= end; at += 1) after.push(at)
  }
  return after
}
