import { manifestFolder } from '../protocol/manifest.ts'
import type { WorkerConfig } from '../protocol/worker-config.ts'

/** As much of https://w3c.github.io/ServiceWorker/#dictdef-routercondition as is used. */
export type RouterCondition =
  | { readonly urlPattern: Readonly<Record<string, string>>; readonly requestMode?: string }
  | { readonly requestMethod: string; readonly requestMode: string }
  | { readonly requestMode: string }
  | { readonly or: readonly RouterCondition[] }
  | { readonly not: RouterCondition }

export interface RouterRule {
  readonly condition: RouterCondition
  readonly source: 'network'
}

const methods = ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const modes = ['cors', 'no-cors', 'same-origin']

/**
 * What is certainly not ours, so that the browser asks the network without asking us. Only ever the network: a route to
 * the cache would hand out what a script of the page wrote there, unchecked. Whatever is in doubt is left to the
 * handler, and so is every navigation: with it we look for news of the site.
 *
 * A pattern counts up to its first star here; what another spelling of a URL loses by that is only our answer.
 *
 * @param url of the worker's own file
 */
export function planStaticRoutes({ base, patterns, urls }: WorkerConfig, url: string): readonly RouterRule[] {
  const { protocol, hostname, port, pathname } = new URL(url)
  // A worker of the site's own that took ours in by `importScripts` answers what it likes.
  if (pathname !== `${base}nearhand-sw.js`) return []
  const below = (path: string): { readonly urlPattern: Readonly<Record<string, string>> } => ({
    urlPattern: { protocol: protocol.slice(0, -1), hostname, port, pathname: escape(base.slice(0, -1) + path) + '*' },
  })
  const isNever: RouterCondition = {
    or: modes.flatMap((requestMode) => [
      ...methods.map((requestMethod) => ({ requestMethod, requestMode })),
      { ...below(`/${manifestFolder}/`), requestMode },
    ]),
  }
  const rules: RouterRule[] = [{ condition: isNever, source: 'network' }]
  const starts = new Set(
    patterns.filter((pattern) => !pattern.startsWith('!')).map((pattern) => pattern.split('*')[0] ?? ''),
  )
  // With rules of its own for URLs the site may mean other hosts and paths than its patterns say.
  if (urls !== undefined || starts.has('/')) return rules
  const isPerhaps: RouterCondition = { or: [{ requestMode: 'navigate' }, ...[...starts].map(below)] }
  return [...rules, { condition: { not: isPerhaps }, source: 'network' }]
}

/** So that it stands for itself (https://urlpattern.spec.whatwg.org/#escape-a-pattern-string). */
function escape(path: string): string {
  return path.replace(/[+*?:{}()\\]/g, String.raw`\$&`)
}
