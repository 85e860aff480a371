import type { Asset } from '../protocol/chunks.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { partWaitMs } from '../protocol/limits.ts'
import { within } from './deadline.ts'
import type { Manifests } from './manifests.ts'
import type { AssetOrigin, FeedParts } from './open-feed.ts'
import { openFeed } from './open-feed.ts'
import type { ErrorBudget } from './error-budget.ts'
import { OriginError } from './error-budget.ts'
import type { Media } from './media.ts'
import { asMade, isMedia, rangeStart } from './media.ts'
import { headHeader } from '../protocol/manifest.ts'
import type { SitePlace } from '../protocol/url-rules.ts'
import { compileUrls } from '../protocol/url-rules.ts'
import type { OwnPass } from './own-pass.ts'
import type { PageHeads } from './page-heads.ts'
import { parseHeads } from './page-heads.ts'
import type { Origin } from './origin-fetch.ts'
import { planResponse } from './plan.ts'
import { respond, respondEmpty } from './respond.ts'
import { isWhole } from './store.ts'
import type { Traffic } from './traffic.ts'
import { urgencyOf } from './urgency.ts'

export interface RouteOptions {
  readonly manifests: Manifests
  readonly parts: FeedParts
  readonly origin: Pick<Origin, 'assetOf' | 'isPrivate'>
  readonly traffic: Traffic
  readonly media: Media
  readonly pages: PageHeads
  readonly budget: ErrorBudget
  readonly pass: Pick<OwnPass, 'covers'>
  readonly place: SitePlace
  /** The request as the page made it. */
  readonly fetch: (request: Request) => Promise<Response>
  readonly report: (error: unknown) => void
}

/** Answers the requests that `pathToAnswer` named. Whatever fails in here ends in the request's own plain answer. */
export class Route {
  readonly #options: RouteOptions

  constructor(options: RouteOptions) {
    this.#options = options
  }

  /** @param page the client that asks */
  async answer(request: Request, path: string, page: string): Promise<Response> {
    const { traffic, report, media, budget, fetch } = this.#options
    await budget.load()
    if (budget.isSpent) return fetch(request)
    const isPlayed = isMedia(request)
    if (isPlayed && !(await media.isOurs(page, path, rangeStart(request.headers.get('range'))))) return fetch(request)
    traffic.onRequest()
    budget.answered()
    let isTried = false
    try {
      const response = await this.#answerVerified(request, path, page)
      if (response) return response
    } catch (error) {
      isTried = true
      report(error)
      if (isOurFault(error, request.signal)) budget.failed()
    }
    traffic.onFallback()
    const response = await this.#answerPlainly(request, path).catch(async (error: unknown) => {
      // This very failure may have shown that nobody can be reached: then the site's last word holds for its grace.
      const late =
        isTried || request.signal.aborted ? undefined : await this.#answerVerified(request, path, page).catch(report)
      if (late) return late
      throw error
    })
    return isPlayed ? asMade(response) : response
  }

  /**
   * A page comes from the network, and with a path from the store where there is none.
   * @param load the page from the network
   * @param page the client that it becomes
   * @param keep holds the worker until the page is stored
   */
  async answerPage(
    request: Request,
    path: string | undefined,
    load: () => Promise<Response>,
    page: string,
    keep: (work: Promise<void>) => void,
  ): Promise<Response> {
    const response = await this.#answerPlainly(request, path, load)
    const heads = parseHeads(response.headers.get(headHeader))
    if (heads) this.#options.pages.note(page, heads)
    if (path !== undefined && response.status === 200 && !response.redirected && response.type === 'basic') {
      keep(this.#keepPage(path, request, response.clone()))
    }
    return response
  }

  async #answerVerified(request: Request, path: string, page: string): Promise<Response | undefined> {
    const { manifests, origin, parts, pages } = this.#options
    // A worker that just started is linked again while it reads what it believes of the site.
    void parts.bridge.ready()
    if (!(await manifests.prepare()) || !manifests.isValidAt(path)) return undefined
    // A part that does not come must not hold up what would come by itself; it is there for a later request.
    const heads = await pages.headsOf(page)
    const asset = await within(partWaitMs, manifests.find(path, heads))
    if (asset === undefined || origin.isPrivate(asset.id) || !(await this.#isGranted(request, path, asset))) {
      return undefined
    }
    const isNewest = manifests.isNewestAt(path, heads)
    return this.#respond(
      request,
      asset,
      origin.assetOf(
        request,
        asset,
        (isPrivate) => {
          if (!isPrivate && isNewest) manifests.suspect()
        },
        { isPinned: heads !== undefined, isNewest },
      ),
    )
  }

  /**
   * Whether the head that lists the asset says that this URL names it, for the worker file's rules are but a filter, and
   * whether the visitor may have what is guarded from elsewhere than the origin.
   */
  async #isGranted({ url }: Request, path: string, { isGuarded, section, urls }: Asset): Promise<boolean> {
    const { parts, pass, place } = this.#options
    if (compileUrls(urls, place)(url) !== path) return false
    if (isGuarded !== true) return true
    await parts.bridge.ready()
    return pass.covers(section)
  }

  /** The request untouched; where the network fails, what the store holds of the last manifest that was believed. */
  async #answerPlainly(
    request: Request,
    path: string | undefined,
    load = () => this.#options.fetch(request),
  ): Promise<Response> {
    const { report } = this.#options
    try {
      return await load()
    } catch (error) {
      if (path === undefined || request.signal.aborted) throw error
      const stored = await this.#answerFromStore(request, path).catch(report)
      if (stored) return stored
      throw error
    }
  }

  async #answerFromStore(request: Request, path: string): Promise<Response | undefined> {
    const { manifests, parts } = this.#options
    await manifests.prepare()
    const asset = await manifests.find(path)
    if (asset === undefined || !(await this.#isGranted(request, path, asset))) return undefined
    const isStored = asset.size === 0 || isWhole(await parts.store.find(asset.id))
    if (!isStored) return undefined
    return this.#respond(request, asset, undefined)
  }

  async #respond(request: Request, asset: Asset, origin: AssetOrigin | undefined): Promise<Response> {
    const { parts, traffic, place } = this.#options
    const plan = planResponse(asset, request.headers, new URL(request.url).origin !== place.origin)
    if (plan.body === undefined || plan.body.start === plan.body.end) return respondEmpty(plan)
    const urgency = urgencyOf(request, asset)
    const feed = await openFeed(asset, plan.body, parts, origin, request.signal, urgency)
    const onDelivered = traffic.onDelivered.bind(traffic, asset)
    return respond(plan, plan.body, { ...feed, end: () => (feed.end(), traffic.flush()) }, onDelivered)
  }

  /** Puts a page into the store from the very body that the visitor is reading. */
  async #keepPage(path: string, request: Request, copy: Response): Promise<void> {
    const { manifests, origin, parts, report } = this.#options
    try {
      const asset = (await manifests.prepare()) && manifests.isValidAt(path) ? await manifests.find(path) : undefined
      if (asset === undefined || isWhole(await parts.store.find(asset.id))) return
      if (!(await this.#isGranted(request, path, asset))) return
      const page = { ...origin.assetOf(request, asset, () => {}), fetch: () => Promise.resolve(copy) }
      const alone = { ...parts, mayUsePeers: () => false }
      const feed = await openFeed(asset, { start: 0, end: asset.size }, alone, page, new AbortController().signal)
      try {
        for (let index = 0; index * asset.chunkSize < asset.size; index += 1) await feed.read(index)
      } finally {
        feed.end()
      }
      await parts.store.settled()
    } catch (error) {
      report(error)
    } finally {
      // Not awaited: a copy's end waits for the visitor's own reading.
      if (!copy.bodyUsed) copy.body?.cancel().catch(report)
    }
  }
}

/** Whether an answer failed by what no origin, peer, device or leaving page can do. */
function isOurFault(error: unknown, signal: AbortSignal): boolean {
  if (signal.aborted || error instanceof OriginError || error instanceof ProtocolError) return false
  return !(error instanceof DOMException)
}
