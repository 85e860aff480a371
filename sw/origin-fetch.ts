import type { Asset } from '../protocol/chunks.ts'
import { contentIdOfDigest } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import type { Bytes } from '../protocol/bytes.ts'
import {
  clockSkewSeconds,
  clockToleranceMs,
  failuresKept,
  manifestDeadlineMs,
  partAgainMs,
  partLimitBytes,
  partWaitMs,
} from '../protocol/limits.ts'
import { manifestFiles, manifestFolder } from '../protocol/manifest.ts'
import type { SitePlace } from '../protocol/url-rules.ts'
import { readBounded } from './body-reader.ts'
import { deadline, within } from './deadline.ts'
import { OriginError } from './error-budget.ts'
import type { AssetOrigin } from './open-feed.ts'
import type { Delivery } from './sources.ts'

export type OriginFetch = (url: string, init: RequestInit) => Promise<Response>

/** As much of a page's request as goes on to the origin. */
export type ForwardedRequest = Pick<Request, 'url' | 'credentials' | 'cache' | 'destination'>

/** Reads from the site's own server. */
export class Origin {
  readonly #fetch: OriginFetch
  readonly #now: () => number
  readonly #own: string
  readonly #folder: string
  readonly #onUnreadable: (host: string) => void
  /** Lists that did not come in time: no second request is to wait for them. */
  readonly #missing = new Map<ContentId, number>()
  /** What it gave to this visitor alone. */
  readonly #private = new Set<ContentId>()
  #clockOffsetMs = 0
  #isSilent = false

  /** @param onUnreadable told of another host of the owner that gave no answer which we may read */
  constructor(
    fetch: OriginFetch,
    { origin, base }: SitePlace,
    now: () => number,
    onUnreadable: (host: string) => void = () => {},
  ) {
    this.#fetch = fetch
    this.#now = now
    this.#own = `${origin}/`
    this.#folder = `${origin}${base}${manifestFolder}/`
    this.#onUnreadable = onUnreadable
  }

  /** How far the origin's clock is ahead of ours, as far as clocks may differ. */
  get clockOffsetMs(): number {
    return this.#clockOffsetMs
  }

  /** A file of the manifest, read whole within its limit and the deadline. */
  readFile(name: string, limit: number, cache: 'default' | 'no-store'): Promise<Bytes> {
    return deadline(manifestDeadlineMs, async (signal) => {
      // Requests wait for it, behind as many others as there are connections: before those of pictures.
      const response = await this.#get(this.#folder + name, { cache, signal, priority: 'high' })
      if (cache === 'no-store') this.#compareClocks(response)
      if (response.status === 200) return readBounded(response, limit, name)
      await response.body?.cancel()
      throw new OriginError(`Cannot read ${name}: the origin answered ${response.status}`)
    })
  }

  readPart(id: ContentId): Promise<Bytes> {
    return this.readFile(manifestFiles.part(id), partLimitBytes, 'default')
  }

  /** The asset that a page's request is for. */
  assetOf(
    request: ForwardedRequest,
    asset: Asset,
    onChanged: AssetOrigin['onChanged'],
    { isPinned = false, isNewest = true }: { readonly isPinned?: boolean; readonly isNewest?: boolean } = {},
  ): AssetOrigin {
    const { credentials, cache, destination } = request
    // As the browser asks for it itself; the default of a worker is that of a style sheet.
    const priority = destination === 'image' ? 'low' : 'auto'
    const keepOut = (id: ContentId): void => this.#keepOut(id)
    const url = request.url.replace(/#.*$/s, '')
    const contentUrl = this.#folder + manifestFiles.content(asset.id)
    const fetchContent: AssetOrigin['fetch'] = (headers, signal) => this.#get(contentUrl, { headers, signal, priority })
    return {
      // At its own URL there is another version than the one that the page was made with.
      fetch: isNewest
        ? (headers, signal) => this.#get(url, { headers, signal, credentials, cache, priority })
        : fetchContent,
      fetchContent,
      isPinned,
      isSilent: () => this.#isSilent,
      list: { name: 'origin', read: async ({ digest }) => this.#readList(contentIdOfDigest(await digest)) },
      onChanged(isPrivate) {
        if (isPrivate) keepOut(asset.id)
        onChanged(isPrivate)
      },
    }
  }

  isPrivate(id: ContentId): boolean {
    return this.#private.has(id)
  }

  #keepOut(id: ContentId): void {
    this.#private.add(id)
    const [oldest] = this.#private
    if (this.#private.size > failuresKept && oldest !== undefined) this.#private.delete(oldest)
  }

  /** The header tells whole seconds, and passed through no cache: a smaller difference is none. */
  #compareClocks({ headers }: Response): void {
    const offset = Date.parse(headers.get('date') ?? '') - this.#now()
    const isKnown = Math.abs(offset) <= clockSkewSeconds * 1000 && !headers.has('age')
    this.#clockOffsetMs = isKnown && Math.abs(offset) > clockToleranceMs ? offset : 0
  }

  async #readList(id: ContentId): Promise<Delivery | undefined> {
    if (this.#now() - (this.#missing.get(id) ?? -Infinity) < partAgainMs) return undefined
    this.#missing.delete(id)
    try {
      const bytes = await within(partWaitMs, this.readPart(id))
      if (bytes) return { bytes, refuse: () => this.#miss(id) }
    } catch {
      // As if it were not there: the reason does not matter to anybody.
    }
    this.#miss(id)
    return undefined
  }

  #miss(id: ContentId): void {
    this.#missing.set(id, this.#now())
    const [oldest] = this.#missing.keys()
    if (this.#missing.size > failuresKept && oldest !== undefined) this.#missing.delete(oldest)
  }

  async #get(url: string, init: RequestInit): Promise<Response> {
    if (!url.startsWith(this.#own)) return this.#getElsewhere(url, init)
    try {
      // A redirect is for the page's own request to follow: it may lead to a log-in.
      const response = await this.#fetch(url, { ...init, mode: 'same-origin', redirect: 'manual' })
      this.#isSilent = false
      return response
    } catch (cause) {
      this.#isSilent = init.signal?.aborted !== true
      throw new OriginError('Cannot reach the origin', { cause })
    }
  }

  /** Of another host of the owner. */
  async #getElsewhere(url: string, init: RequestInit): Promise<Response> {
    const { origin: host } = new URL(url)
    try {
      const response = await this.#fetch(url, { ...init, mode: 'cors', credentials: 'omit', redirect: 'manual' })
      // The page's own request follows it: ours would be one too many each time.
      if (response.type === 'opaqueredirect') this.#onUnreadable(host)
      return response
    } catch (cause) {
      if (init.signal?.aborted) throw new OriginError('Cannot reach the host', { cause })
      this.#onUnreadable(host)
      // It may be ours alone that failed (CORS, the policy of our file). As of a gateway: the page is not to wait long for
      // peers, as it would where nobody has the origin.
      return new Response(null, { status: 502 })
    }
  }
}
