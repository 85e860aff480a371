import { textOf } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { freshLimitBytes, headLimitBytes, partsReadAhead, refreshPauseLimitMs } from '../protocol/limits.ts'
import type { Fresh } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { passTrustOf } from '../protocol/pass.ts'
import type { TrustedManifest } from '../protocol/trusted-manifest.ts'
import type { Saved } from './belief.ts'
import { Belief } from './belief.ts'
import { envelopeLimit } from './envelope-limit.ts'
import type { KeptState } from './kept-state.ts'
import { loadLot } from './lot.ts'
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
  readonly origin: Pick<Origin, 'clockOffsetMs' | 'readFile' | 'readPart'>
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
  #lot = 1
  #isTrackerReachable = false
  /** Of two heads with this number, nobody knows which is the site's. */
  #doubtedSeq = 0
  /** When a strange key of the tracker was a reason to look for a newer root. */
  #lookedAt = Number.NEGATIVE_INFINITY
  #toldRule = ''
  #loading: Promise<void> | undefined

  constructor(options: ManifestsOptions) {
    this.#options = options
    const { root: pinned, origin, cache, state, now, report } = options
    this.#roots = new Roots({ pinned, origin, state, report })
    this.#belief = new Belief({ roots: this.#roots, state, seconds: () => this.#seconds(), report })
    this.#refresher = new Refresher({
      refresh: () => this.#fetchFresh(),
      now,
      onFailed: () => this.#tellChanges(),
      report,
    })
    this.#others = new OtherHeads(origin)
    this.#parts = new Parts(cache, (id) => origin.readPart(id), now)
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

  /** Whether the origin's newest word is known and still holds. */
  get isValid(): boolean {
    const { fresh, isCurrent } = this.#belief.trusted ?? {}
    return isCurrent === true && fresh !== undefined && fresh.expires > this.#seconds() && this.#hasHead
  }

  /** @param path what peers are to be asked for; without one, whether they are asked at all */
  mayUsePeers(path?: string): boolean {
    if (!this.#hasHead || !this.#isLetIn) return false
    const isAllowed = this.#belief.trusted?.mayUsePeers(this.#seconds(), this.#isCutOff) ?? false
    return isAllowed && (path === undefined || (this.#belief.trusted?.isShared(path) ?? false))
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
      if (!(error instanceof ProtocolError && error.code === 'equivocal')) throw error
      this.#doubt(candidate.floor.seq)
    }
  }

  /** Resolves when no refresh is under way any more. */
  async settled(): Promise<void> {
    await this.#load()
    await this.#refresher.settled()
  }

  /** A page's connection to the tracker came or went. */
  trackerIs(isReachable: boolean): void {
    this.#isTrackerReachable = isReachable
    this.#tellChanges()
    // Where the page asks for nothing, nobody else would find out whether the grace has begun.
    if (!isReachable) this.suspect()
  }

  /** Tells anew what holds. */
  async tellRule(): Promise<void> {
    await this.#load()
    this.#toldRule = ''
    this.#tellChanges()
  }

  /** Whether a page that was made with this head, or says nothing, is as new as what is believed. */
  isNewest(head: ContentId | undefined): boolean {
    return head === undefined || head === this.#belief.trusted?.headHash
  }

  /** The asset at a path in the last head that was believed, or in the one that a page names, and has not expired; undefined also where it was revoked. */
  async find(path: string, head?: ContentId): Promise<Asset | undefined> {
    const trusted = this.#belief.trusted
    if (trusted === undefined || !this.#hasHead) return undefined
    const catalogue =
      head === undefined || this.isNewest(head) ? trusted : await this.#others.open(head, trusted, this.#seconds())
    const asset = await catalogue.find(path, (id) => this.#parts.read(id))
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
    const head = candidate.isCurrent ? this.#belief.saved?.head : await this.#readHead(candidate, fresh.head)
    const acceptedAt = Math.floor(now() / 1000)
    const { seq, issued, site } = fresh
    // Also without its head: the kill switch and the revocations hold all the same.
    await this.#believe(candidate, { site, seq, issued, acceptedAt, fresh: envelope, head })
    if (fresh.revoked.length > 0) onRevoked(fresh.revoked)
    this.#tellChanges()
    if (fresh.unregister) onUnregister()
    if (head === undefined) throw new Error('Cannot take fresh: there is no good head for it')
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
      if (code === 'equivocal') this.#doubt(candidate.floor.seq)
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

  #doubt(seq: number): void {
    this.#doubtedSeq = seq
    this.#tellChanges()
  }

  /** Whether the operator lets this device have peers, as far as is known. */
  get #isLetIn(): boolean {
    const { fresh } = this.#belief.trusted ?? {}
    return fresh === undefined || (fresh.peers && fresh.share > this.#lot && fresh.seq !== this.#doubtedSeq)
  }

  get #isCutOff(): boolean {
    return this.#refresher.isOriginSilent && !this.#isTrackerReachable
  }

  #tellChanges(): void {
    const { fresh, root } = this.#belief.trusted ?? {}
    const seconds = fresh && this.mayUsePeers() ? fresh.expires + (this.#isCutOff ? fresh.grace : 0) : 0
    // In this device's own time.
    const servesUntil = seconds === 0 ? 0 : seconds * 1000 - this.#options.origin.clockOffsetMs
    const rule: Rule = {
      peers: this.#isLetIn,
      servesUntil,
      isCutOff: this.#isCutOff,
      off: fresh?.off ?? [],
      word: this.#belief.saved?.fresh,
      passes: root && passTrustOf(root),
    }
    const told = JSON.stringify(rule)
    if (told === this.#toldRule) return
    this.#toldRule = told
    this.#options.onRule(rule)
  }

  /** The envelope of a head once it was accepted, undefined where it was not. */
  async #readHead(candidate: TrustedManifest, hash: ContentId): Promise<string | undefined> {
    const { origin, report } = this.#options
    try {
      const head = textOf(await origin.readFile(manifestFiles.head(hash), envelopeLimit(headLimitBytes), 'default'))
      await candidate.acceptHead(head, this.#seconds())
      return head
    } catch (error) {
      report(error)
      return undefined
    }
  }

  get #hasHead(): boolean {
    return (this.#belief.trusted?.head?.expires ?? 0) > this.#seconds()
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
    this.#lot = await loadLot(state, random, report)
    await this.#belief.load()
  }

  async #believe(candidate: TrustedManifest, saved: Saved): Promise<void> {
    const { report } = this.#options
    const isNewHead = await this.#belief.believe(candidate, saved)
    const ids = candidate.head?.index.map(({ id }) => id)
    if (ids === undefined || !isNewHead) return
    await this.#parts.keepOnly(ids)
    // An origin that goes away later must not take the catalogue with it: peers and the store may have the assets.
    if (ids.length <= partsReadAhead) for (const id of ids) this.#parts.read(id).catch(report)
  }

  #isRefreshDue(): boolean {
    const { sinceMs, pauseMs } = this.#refresher
    const { fresh } = this.#belief.trusted ?? {}
    if (!this.isValid || fresh === undefined) return sinceMs >= pauseMs
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
