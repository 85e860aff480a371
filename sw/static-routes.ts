import type { WorkerConfig } from '../protocol/worker-config.ts'

/** As much of https://w3c.github.io/ServiceWorker/#dictdef-routercondition as is used. */
export type RouterCondition =
  | { readonly urlPattern: Readonly<Record<string, string>> }
  | { readonly requestMode: string }
  | { readonly or: readonly RouterCondition[] }
  | { readonly not: RouterCondition }

export interface RouterRule {
  readonly condition: RouterCondition
  readonly source: 'network'
}

/**
 * What no pattern can name, so that the browser asks the network without asking us. Only ever the network: a route to
 * the cache would hand out what a script of the page wrote there, unchecked. Whatever is in doubt is left to the
 * handler, and so is every navigation: with it we look for news of the site. A URL of another spelling than the
 * pattern's loses our answer, and nothing else.
 *
 * @param url of the worker's own file
 */
export function planStaticRoutes({ base, patterns, urls }: WorkerConfig, url: string): readonly RouterRule[] {
  const { hostname, port, pathname } = new URL(url)
  // A worker of the site's own that took ours in by `importScripts` answers what it likes. And with rules of its own
  // for URLs the site may mean other hosts and paths than its patterns say.
  if (pathname !== `${base}nearhand-sw.js` || urls !== undefined) return []
  const named = patterns
    .filter((pattern) => !pattern.startsWith('!'))
    .map((pattern) => globOf(base.slice(0, -1) + pattern))
  const perhaps = named.map((path) => ({ urlPattern: { hostname, port, pathname: path } }))
  return [{ condition: { not: { or: [{ requestMode: 'navigate' }, ...perhaps] } }, source: 'network' }]
}

/** A pattern of ours as one of URLs, where a star also stands for `/` (https://urlpattern.spec.whatwg.org/#pattern-strings). */
function globOf(pattern: string): string {
  return pattern.replace(/[+?:{}()]/g, String.raw`\$&`).replace(/\*+/g, '*')
}
