import { manifestFolder } from '../protocol/manifest.ts'
import { canonicalPath } from '../protocol/paths.ts'

/** As much of a Request as the decision needs. */
export interface RequestView {
  readonly method: string
  readonly url: string
  readonly mode: string
  readonly destination: string
  readonly cache: string
  readonly headers: { has(name: string): boolean }
}

export interface AnswerRules {
  /** Of the worker, as in `location.origin`. */
  readonly origin: string
  /** The site's folder on its host, as in the worker's configuration. */
  readonly base: string
  /** Paths of our own scripts below the base. */
  readonly ownFiles: ReadonlySet<string>
  readonly isNamed: (path: string) => boolean
}

/** Documents are the network's; a worker's script carries the rules of the site (CSP), so it comes with its own headers. */
const foreignDestinations = new Set([
  'document',
  'iframe',
  'frame',
  'fencedframe',
  'embed',
  'object',
  'worker',
  'sharedworker',
  'serviceworker',
  'report',
  'webidentity',
])

/** In these the page asks for the network's answer, or for none but the browser's cache. */
const foreignCacheModes = new Set(['no-store', 'reload', 'no-cache', 'only-if-cached'])

/** Credentials, preconditions that only the origin can judge (RFC 9110 section 13.1), and wishes for a fresh answer. */
const foreignHeaders = [
  'authorization',
  'if-match',
  'if-unmodified-since',
  'if-modified-since',
  'cache-control',
  'pragma',
]

/**
 * The path below the base of a request that is ours to answer, or undefined: then `respondWith` must not be called,
 * so that the request costs and changes nothing.
 */
export function pathToAnswer(request: RequestView, rules: AnswerRules): string | undefined {
  if (request.method !== 'GET' || request.mode === 'navigate') return undefined
  if (foreignDestinations.has(request.destination) || foreignCacheModes.has(request.cache)) return undefined
  if (foreignHeaders.some((name) => request.headers.has(name))) return undefined
  const path = pathOnSite(request.url, rules)
  if (path === undefined || path.startsWith(`/${manifestFolder}/`) || rules.ownFiles.has(path)) return undefined
  return rules.isNamed(path) ? path : undefined
}

/** The canonical path below the base, undefined for another site, a query, or a path with no canonical spelling. */
export function pathOnSite(url: string, rules: Pick<AnswerRules, 'origin' | 'base'>): string | undefined {
  const { origin, pathname, search } = new URL(url)
  if (origin !== rules.origin || search !== '' || !pathname.startsWith(rules.base)) return undefined
  return canonicalPath(pathname.slice(rules.base.length - 1))
}
