import * as v from 'valibot'
import { parseValue } from './json.ts'
import { hostRuleLimit, queryNameLimit, queryNamesPerRule, queryRuleLimit } from './limits.ts'
import { prefixSchema } from './path-schemas.ts'
import { canonicalPath } from './paths.ts'
import { compilePatterns } from './patterns.ts'
import { list, text } from './schemas.ts'

/** Query parameters that do not change the content of the assets whose path fits the pattern. */
export interface QueryRule {
  readonly paths: string
  /** Case counts. */
  readonly names: readonly string[]
}

/** Another host of the same owner: what lies there below `from` is what the site lists below `to`. */
export interface HostRule {
  /** A web origin, `https://media.example.com`; http only for this machine's own names. */
  readonly host: string
  readonly from: string
  readonly to: string
}

/**
 * Which URLs are one asset. The head says it, signed; the worker file holds the same as a filter, because a worker must
 * decide whether to answer before it can have read a head.
 */
export interface UrlRules {
  readonly ignoredQuery: readonly QueryRule[]
  readonly hosts: readonly HostRule[]
}

/** Where a site is. */
export interface SitePlace {
  /** As in `location.origin`. */
  readonly origin: string
  /** The site's folder on its host. */
  readonly base: string
}

export const urlRulesSchema: v.GenericSchema<unknown, UrlRules> = v.strictObject({
  ignoredQuery: list(
    v.strictObject({
      paths: v.pipe(v.string(), v.check(isPattern, 'not a pattern')),
      names: list(
        v.pipe(text(queryNameLimit, 1), v.regex(/^[\w.~-]+$/, 'not a plain parameter name')),
        queryNamesPerRule,
        1,
      ),
    }),
    queryRuleLimit,
  ),
  hosts: list(
    v.strictObject({
      host: v.pipe(v.string(), v.check(isHost, 'not of the form https://host')),
      from: prefixSchema,
      to: prefixSchema,
    }),
    hostRuleLimit,
  ),
})

export function parseUrlRules(value: unknown): UrlRules {
  return parseValue(urlRulesSchema, value, 'URL rules')
}

/**
 * Gives the canonical path, below the site's base, of the asset that a URL names, or undefined where it names none: then
 * the URL is the network's alone.
 *
 * A query is ignored only where each of its parts, as it is spelled, is one of the names, alone or with `=` and a value,
 * and none stands twice. Servers differ in what they make of `%74oken`, of a name that stands twice, of `;` and of empty
 * parts: what one of them reads as another parameter must not be ignored.
 */
export function compileUrls(rules: UrlRules | undefined, site: SitePlace): (url: string) => string | undefined {
  const queries = (rules?.ignoredQuery ?? []).map(({ paths, names }) => ({ isFor: compilePatterns([paths]), names }))
  return (text) => {
    const url = new URL(text)
    const path = url.username || url.password ? undefined : pathOf(url, rules?.hosts ?? [], site)
    if (path === undefined) return undefined
    const query = /^[^?#]*\?([^#]*)/.exec(url.href)?.[1]
    if (query === undefined) return path
    const names = new Set(queries.flatMap(({ isFor, names: ignored }) => (isFor(path) ? ignored : [])))
    const isIgnored = (part: string): boolean => !part.includes(';') && names.delete(part.replace(/=.*/s, ''))
    return query.split('&').every(isIgnored) ? path : undefined
  }
}

function pathOf(url: URL, hosts: readonly HostRule[], { origin, base }: SitePlace): string | undefined {
  if (url.origin === origin) {
    return url.pathname.startsWith(base) ? canonicalPath(url.pathname.slice(base.length - 1)) : undefined
  }
  const there = hosts.some(({ host }) => host === url.origin) ? canonicalPath(url.pathname) : undefined
  if (there === undefined) return undefined
  let longest: HostRule | undefined
  for (const rule of hosts) {
    const isFit = rule.host === url.origin && there.startsWith(rule.from)
    if (isFit && rule.from.length > (longest?.from.length ?? 0)) longest = rule
  }
  return longest && canonicalPath(longest.to + there.slice(longest.from.length))
}

function isPattern(pattern: string): boolean {
  try {
    compilePatterns([pattern])
    return pattern.startsWith('/')
  } catch {
    return false
  }
}

/** Over plain http anybody on the way could answer, this machine's own names apart. */
function isHost(host: string): boolean {
  if (!URL.canParse(host) || host.includes('*')) return false
  const { origin, protocol, hostname } = new URL(host)
  const isOwnMachine = /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|\[::1\])$/.test(hostname)
  return origin === host && (protocol === 'https:' || (protocol === 'http:' && isOwnMachine))
}
