import type { Bytes } from '../protocol/bytes.ts'
import { textOf } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { freshLimitBytes, headLimitBytes, partsReadAhead, refreshPauseLimitMs } from '../protocol/limits.ts'
import type { Fresh, HeadRole } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import type { TrustedManifest } from '../protocol/trusted-manifest.ts'
import { EquivocationError } from '../protocol/trusted-manifest.ts'
import { Allowance } from './allowance.ts'
import type { Saved } from './belief.ts'
import { Belief } from './belief.ts'
import { envelopeLimit } from './envelope-limit.ts'
import type { KeptState } from './kept-state.ts'
import type { Origin } from './origin-fetch.ts'
import { OtherHeads } from './other-heads.ts'
import type { PartCache } from './parts.ts'
import { Parts } from './parts.ts'
import { Refresher } from './refresher.ts'
import { Roots } from './roots.ts'
import type { Rule } from './rule.ts'

export interface ManifestsOptions {
  /** The text of the signed root that the worker file pins. */
  readonly root: string
  readonly origin: Pick<Origin, 'clockOffsetMs' | 'readFile'>
  /** Gives a bin or an index page, from anywhere. */
  readonly readPart: (id: ContentId) => Promise<Bytes>
  readonly cache: PartCache
  readonly state: KeptState
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly random: () => number
  /** What holds for this device from now on. */
  readonly onRule: (rule: Rule) => void
  /** The operator wants every worker gone. */
  readonly onUnregister: () => void
  /** Content that nobody is to have any more. */
  readonly onRevoked: (ids: readonly ContentId[]) => void
  readonly report: (error: unknown) => void
}

/**
 * What the worker believes of the site: the newest signed head, kept up to date without making a page wait for it.
 * While it believes nothing, or nothing that is still valid, requests are answered plainly.
 */
export class Manifests {
  readonly #options: ManifestsOptions
  readonly #parts: Parts
  readonly #roots: Roots
  readonly #belief: Belief
  readonly #refresher: Refresher
  readonly #others: OtherHeads
  readonly #allowance: Allowance
  /** When a strange key of the tracker was a reason to look for a newer root. */
  #lookedAt = Number.NEGATIVE_INFINITY
  #loading: Promise<void> | undefined

  constructor(options: ManifestsOptions) {
    this.#options = options
    const { root: pinned, origin, cache, state, now, report } = options
    this.#roots = new Roots({ pinned, origin, state, report })
    this.#belief = new Belief({ roots: this.#roots, state, seconds: () => this.#seconds(), report })
    this.#refresher = new Refresher({
      refresh: () => this.#fetchFresh(),
      now,
      onFailed: () => this.#allowance.tellChanges(),
      report,
    })
    this.#others = new OtherHeads(origin)
    this.#allowance = new Allowance({
      belief: this.#belief,
      origin,
      isOriginSilent: () => this.#refresher.isOriginSilent,
      seconds: () => this.#seconds(),
      onRule: options.onRule,
    })
    this.#parts = new Parts(cache, options.readPart, now)
  }

  /** Before a page loads: its requests are to be answered from the newest manifest. */
  async onNavigation(): Promise<void> {
    await this.#load()
    await this.#refresher.runAwaited()
  }

  /**
   * Before a request is answered: waits only for what a navigation or a suspicion began, and never long. False where
   * that is still on its way, for then the page may be newer than what is believed.
   */
  async prepare(): Promise<boolean> {
    await this.#load()
    const isKnown = await this.#refresher.wait(!this.isValid)
    if (this.#isRefreshDue()) void this.#refresher.run()
    return isKnown
  }

  /** What was believed turned out to be old: the origin serves something else. */
  suspect(): void {
    if (this.#refresher.sinceMs >= this.#refresher.pauseMs) void this.#refresher.runAwaited()
  }

  /**
   * Whether the origin's newest word is known and still holds, for any of its heads. Where neither origin nor tracker can
   * be reached, it holds for its grace.
   */
  get isValid(): boolean {
    const { trusted } = this.#belief
    const isKnown = trusted?.fresh?.heads.some(({ role }) => trusted.isCurrentOf(role)) ?? false
    const isUnexpired = (trusted?.fresh?.expires ?? 0) > this.#seconds()
    return isKnown && this.#hasHead && (isUnexpired || this.mayUsePeers())
  }

  /** The same for the head that speaks for this path. */
  isValidAt(path: string): boolean {
    return this.isValid && (this.#belief.trusted?.isCurrentAt(path, this.#seconds()) ?? false)
  }

  /** @param path what peers are to be asked for; without one, whether they are asked at all */
  mayUsePeers(path?: string): boolean {
    return this.#allowance.mayUsePeers(path)
  }

  /**
   * A peer believes this fresh. It is not taken, for the origin alone says what holds; but a newer one is a reason to ask
   * the origin, and a contradiction is one to trust neither.
   */
  async hear(envelope: string): Promise<void> {
    await this.#load()
    const candidate = await this.#belief.restore()
    try {
      const { issued } = await candidate.acceptFresh(envelope, this.#seconds())
      if (issued > (this.#belief.saved?.issued ?? 0)) this.suspect()
    } catch (error) {
      if (!(error instanceof EquivocationError)) throw error
      this.#allowance.doubt(error.named)
    }
  }

  /** Resolves when no refresh is under way any more. */
  async settled(): Promise<void> {
    await this.#load()
    await this.#refresher.settled()
  }

  /** A page's connection to the tracker came or went. */
  trackerIs(isReachable: boolean): void {
    this.#allowance.trackerIs(isReachable)
    // Where the page asks for nothing, nobody else would find out whether the grace has begun.
    if (!isReachable) this.suspect()
  }

  /** Tells anew what holds. */
  async tellRule(): Promise<void> {
    await this.#load()
    this.#allowance.tellAgain()
  }

  /** Whether a page that was made with these heads, or says nothing, is as new as what is believed of this path. */
  isNewestAt(path: string, heads: readonly ContentId[] | undefined): boolean {
    const believed = this.#belief.trusted?.headAt(path, this.#seconds())?.hash
    return heads === undefined || (believed !== undefined && heads.includes(believed))
  }

  /**
   * The asset at a path in the last heads that were believed, or in those that a page names, and have not expired;
   * undefined also where it was revoked.
   */
  async find(path: string, heads?: readonly ContentId[]): Promise<Asset | undefined> {
    const { trusted } = this.#belief
    if (trusted === undefined || !this.#hasHead) return undefined
    const now = this.#seconds()
    const isNewest = heads === undefined || this.isNewestAt(path, heads)
    const catalogue = isNewest ? trusted.headAt(path, now)?.catalogue : await this.#others.at(path, heads, trusted, now)
    const asset = await catalogue?.find(path, (id) => this.#parts.read(id))
    return asset && !trusted.isRevoked(asset.id) ? asset : undefined
  }

  /**
   * Takes a newer fresh, from wherever it came.
   * @param isOrigins it came from the origin itself: then a strange key is always worth looking for a newer root
   */
  async take(envelope: string, isOrigins: boolean = false): Promise<void> {
    const { now, onRevoked, onUnregister } = this.#options
    await this.#load()
    const { candidate, fresh } = await this.#accept(envelope, isOrigins)
    const heads = await this.#readHeads(candidate, fresh)
    const acceptedAt = Math.floor(now() / 1000)
    const { issued, site } = fresh
    // Also without its heads: the kill switch and the revocations hold all the same.
    await this.#believe(candidate, { site, issued, acceptedAt, fresh: envelope, heads })
    if (fresh.revoked.length > 0) onRevoked(fresh.revoked)
    this.#allowance.tellChanges()
    if (fresh.unregister) onUnregister()
    if (heads.length < fresh.heads.length) throw new Error('Cannot take fresh: not all of its heads are good')
  }

  async #accept(
    envelope: string,
    isOrigins: boolean,
  ): Promise<{ readonly candidate: TrustedManifest; readonly fresh: Fresh }> {
    const candidate = await this.#belief.restore()
    try {
      return { candidate, fresh: await candidate.acceptFresh(envelope, this.#seconds()) }
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : undefined
      if (error instanceof EquivocationError) this.#allowance.doubt(error.named)
      const isStrange = code === 'untrusted' && (isOrigins || this.#mayLook())
      const mayHaveMissed = code === 'outdated' || isStrange || (isOrigins && code === 'expired')
      if (!mayHaveMissed || !(await this.#roots.follow())) throw error
    }
    const follower = await this.#belief.restore()
    return { candidate: follower, fresh: await follower.acceptFresh(envelope, this.#seconds()) }
  }

  /** A tracker that lies must not have each visitor ask the origin for roots all the time. */
  #mayLook(): boolean {
    const now = this.#options.now()
    if (now - this.#lookedAt < refreshPauseLimitMs) return false
    this.#lookedAt = now
    return true
  }

  /** The envelopes of the heads that the accepted fresh names. One that cannot be had costs its own paths alone. */
  async #readHeads(candidate: TrustedManifest, { heads }: Fresh): Promise<Saved['heads']> {
    const kept = new Map(this.#belief.saved?.heads)
    const envelopes = await Promise.all(
      heads.map(async ({ role, hash }): Promise<Saved['heads']> => {
        const envelope = candidate.isCurrentOf(role) ? kept.get(role) : await this.#readHead(candidate, role, hash)
        return envelope === undefined ? [] : [[role, envelope]]
      }),
    )
    return envelopes.flat()
  }

  /** The envelope of a head once it was accepted, undefined where it was not. */
  async #readHead(candidate: TrustedManifest, role: HeadRole, hash: ContentId): Promise<string | undefined> {
    const { origin, report } = this.#options
    try {
      const head = textOf(await origin.readFile(manifestFiles.head(hash), envelopeLimit(headLimitBytes), 'default'))
      await candidate.acceptHead(head, this.#seconds(), role)
      return head
    } catch (error) {
      report(error)
      return undefined
    }
  }

  get #hasHead(): boolean {
    return this.#belief.trusted?.hasLiveHead(this.#seconds()) ?? false
  }

  #seconds(): number {
    const { now, origin } = this.#options
    return Math.floor((now() + origin.clockOffsetMs) / 1000)
  }

  #load(): Promise<void> {
    this.#loading ??= this.#readState()
    return this.#loading
  }

  async #readState(): Promise<void> {
    const { state, report, random } = this.#options
    await this.#allowance.load(state, random, report)
    await this.#belief.load()
  }

  async #believe(candidate: TrustedManifest, saved: Saved): Promise<void> {
    const { report } = this.#options
    const isNewHead = await this.#belief.believe(candidate, saved)
    if (!isNewHead) return
    const ids = [...candidate.heads.values()].flatMap(({ catalogue }) => catalogue.head.index.map(({ id }) => id))
    await this.#parts.keepOnly(ids)
    // An origin that goes away later must not take the catalogue with it: peers and the store may have the assets.
    if (ids.length <= partsReadAhead) for (const id of ids) this.#parts.read(id).catch(report)
  }

  #isRefreshDue(): boolean {
    const { sinceMs, pauseMs } = this.#refresher
    const { fresh, isCurrent } = this.#belief.trusted ?? {}
    if (!this.isValid || fresh === undefined || isCurrent !== true) return sinceMs >= pauseMs
    // Well before its end, so that no request has to be answered plainly, and not with each of them.
    const life = fresh.expires - fresh.issued
    const restMs = Math.min(refreshPauseLimitMs, (life * 1000) / 10)
    return fresh.expires - this.#seconds() < life / 3 && sinceMs >= Math.max(restMs, pauseMs)
  }

  async #fetchFresh(): Promise<void> {
    const { origin } = this.#options
    const envelope = textOf(await origin.readFile(manifestFiles.fresh, envelopeLimit(freshLimitBytes), 'no-store'))
    this.#refresher.heard()
    await this.take(envelope, true)
  }
}
