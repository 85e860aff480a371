import type { Asset } from '../protocol/chunks.ts'
import { chunkCount } from '../protocol/chunks.ts'
import { prefetchPauseMs } from '../protocol/limits.ts'
import type { SitePlace } from '../protocol/url-rules.ts'
import { compileUrls } from '../protocol/url-rules.ts'
import { pause } from './deadline.ts'
import type { Manifests } from './manifests.ts'
import type { AssetOrigin, FeedParts } from './open-feed.ts'
import { openFeed } from './open-feed.ts'
import type { Origin } from './origin-fetch.ts'
import { isWhole } from './store.ts'
import type { Traffic } from './traffic.ts'
import { idle } from './urgency.ts'

export interface PrefetchOptions {
  readonly manifests: Pick<Manifests, 'prepare' | 'isValidAt' | 'find'>
  readonly origin: Pick<Origin, 'assetOf' | 'isPrivate'>
  readonly traffic: Pick<Traffic, 'onPrefetched'>
  readonly parts: FeedParts
  /** The path of an asset that a request of a page for this URL would be answered by. */
  readonly pathOf: (url: string) => string | undefined
  readonly place: SitePlace
  readonly report: (error: unknown) => void
}

/**
 * Puts into the store what the site says that its next pages need: one chunk at a time, and none while a page waits
 * for peers itself.
 */
export class Prefetch {
  readonly #options: PrefetchOptions
  #work: Promise<void> = Promise.resolve()

  constructor(options: PrefetchOptions) {
    this.#options = options
  }

  /** @param mayAskOrigin without it what peers do not have is left for later */
  take(urls: readonly string[], mayAskOrigin: boolean): Promise<void> {
    for (const url of urls) {
      this.#work = this.#work.then(() => this.#fetch(url, mayAskOrigin)).catch(this.#options.report)
    }
    return this.#work
  }

  async #fetch(url: string, mayAskOrigin: boolean): Promise<void> {
    const { manifests, origin, parts, pathOf, place } = this.#options
    const path = pathOf(url)
    if (path === undefined || !(await manifests.prepare()) || !manifests.isValidAt(path)) return
    const asset = await manifests.find(path)
    // What is guarded goes to those alone who ask for it themselves.
    if (asset === undefined || asset.isGuarded === true || origin.isPrivate(asset.id)) return
    // The worker file's rules are but a filter: another host is asked only where the signed head names it.
    if (compileUrls(asset.urls, place)(url) !== path) return
    if (asset.size === 0 || isWhole(await parts.store.find(asset.id))) return
    const atOrigin = origin.assetOf(new Request(url), asset, () => {})
    await this.#store(asset, mayAskOrigin ? atOrigin : withoutOrigin(atOrigin))
  }

  async #store(asset: Asset, origin: AssetOrigin): Promise<void> {
    const { parts, traffic } = this.#options
    const { signal } = new AbortController()
    const feed = await openFeed(asset, { start: 0, end: asset.size }, parts, origin, signal, () => idle)
    try {
      for (let index = 0; index < chunkCount(asset.size, asset.chunkSize); index += 1) {
        while (parts.pace.isAwaited) await pause(prefetchPauseMs, signal)
        const { source, bytes } = await feed.read(index)
        traffic.onPrefetched(source, bytes.length)
      }
    } finally {
      feed.end()
    }
    await parts.store.settled()
  }
}

/** The same asset where nobody may ask the site's server for it. */
function withoutOrigin(origin: AssetOrigin): AssetOrigin {
  const fetch = (): Promise<Response> => Promise.reject(new Error('Left to peers'))
  return { ...origin, fetch, fetchContent: fetch, list: { ...origin.list, read: async () => undefined } }
}
