import { manifestFolder } from '../protocol/manifest.ts'
import type { SitePlace } from '../protocol/url-rules.ts'

/** As much of a Request as the decision needs. */
export interface RequestView {
  readonly method: string
  readonly url: string
  readonly mode: string
  readonly credentials: string
  readonly destination: string
  readonly cache: string
  readonly headers: { has(name: string): boolean }
}

export interface AnswerRules extends SitePlace {
  /** The path of the asset that a URL may name; see `compileUrls`. */
  readonly pathOf: (url: string) => string | undefined
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
  // Another host is asked without credentials: a request with some is one that we cannot repeat.
  const isForeign = otherHostOf(request.url, rules) !== undefined
  if (isForeign && (!/^(?:no-)?cors$/.test(request.mode) || request.credentials === 'include')) return undefined
  const path = rules.pathOf(request.url)
  if (path === undefined || path.startsWith(`/${manifestFolder}/`) || rules.ownFiles.has(path)) return undefined
  return rules.isNamed(path) ? path : undefined
}

/** The web origin of a URL, undefined where it is the site's own. */
export function otherHostOf(url: string, { origin }: Pick<SitePlace, 'origin'>): string | undefined {
  const other = new URL(url).origin
  return other === origin ? undefined : other
}
