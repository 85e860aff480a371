import { headerSetLimit } from '../protocol/limits.ts'
import { compilePatterns } from '../protocol/patterns.ts'
import { cacheControlOf } from './cache-control.ts'
import { contentTypeOf } from './content-types.ts'

export type Headers = readonly (readonly [name: string, value: string])[]

export interface HeaderRule {
  /** Of the form of `compilePatterns`, matched against canonical paths. */
  readonly pattern: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

/** Says that our own server serves the site. */
export interface ServerHeaders {
  /** How long browsers may keep what has no hash in its name. */
  readonly cacheSeconds: number
}

/** The response headers of a path, whose content is UTF-8 or not. The same ones are mostly the same object. */
export type HeadersOf = (path: string, isUtf8: boolean) => Headers

/**
 * Gives the response headers of a path: its content-type, what our own server adds where it serves the site, and what
 * the rules add. Later rules win. All of it is signed, so that peers' answers carry what the server's do.
 */
export function compileHeaderRules(rules: readonly HeaderRule[], server?: ServerHeaders): HeadersOf {
  const compiled = rules.map(({ pattern, headers }) => ({ matches: compilePatterns([pattern]), headers }))
  // Of a million files nearly all have one of a few sets.
  const sets = new Map<string, Headers>()
  return (path, isUtf8) => {
    const contentType = contentTypeOf(path, isUtf8)
    const cacheControl = server && cacheControlOf(path, contentType, server.cacheSeconds)
    const matching = compiled.filter(({ matches }) => matches(path))
    const key = `${contentType}\n${cacheControl}`
    const known = matching.length === 0 ? sets.get(key) : undefined
    if (known) return known
    const headers = new Map([['content-type', contentType]])
    if (cacheControl !== undefined) {
      headers.set('x-content-type-options', 'nosniff')
      headers.set('cache-control', cacheControl)
    }
    for (const rule of matching) for (const [name, value] of Object.entries(rule.headers)) headers.set(name, value)
    const made = [...headers]
    if (matching.length === 0) sets.set(key, made)
    return made
  }
}

/**
 * The table that rows point into. It begins with the table of the head before, so that a new kind of file does not
 * renumber the old ones and change every bin of the site; it begins anew when most of it would be out of use.
 */
export function makeHeaderTable(previous: readonly Headers[], used: readonly Headers[]): readonly Headers[] {
  const wanted = new Map(used.map((headers) => [JSON.stringify(headers), headers]))
  const kept = new Map(previous.map((headers) => [JSON.stringify(headers), headers]))
  const stale = [...kept.keys()].filter((key) => !wanted.has(key)).length
  const isWorthKeeping = stale <= wanted.size && new Set([...kept.keys(), ...wanted.keys()]).size <= headerSetLimit
  const table = isWorthKeeping ? new Map([...kept, ...wanted]) : wanted
  if (table.size > headerSetLimit) {
    throw new RangeError(`Cannot publish: ${table.size} different sets of response headers, ${headerSetLimit} at most`)
  }
  return [...table.values()]
}
