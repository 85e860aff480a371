import * as v from 'valibot'
import { textOf } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { siteIdSchema } from '../protocol/ids.ts'
import {
  freshLimitBytes,
  headLimitBytes,
  otherHeadsKept,
  partsReadAhead,
  refreshPauseLimitMs,
  refreshPauseMs,
  refreshWaitMs,
} from '../protocol/limits.ts'
import type { Catalogue } from '../protocol/catalogue.ts'
import type { Fresh } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { passTrustOf } from '../protocol/pass.ts'
import { TrustedManifest } from '../protocol/trusted-manifest.ts'
import { within } from './deadline.ts'
import { OriginError } from './error-budget.ts'
import { envelopeLimit } from './envelope-limit.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'
import type { Origin } from './origin-fetch.ts'
import type { PartCache } from './parts.ts'
import { Parts } from './parts.ts'
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

/** What the worker keeps between its lives. A script of the page can write it, so all of it is checked again. */
const savedSchema = v.strictObject({
  site: siteIdSchema,
  seq: v.number(),
  issued: v.number(),
  /** When the fresh was accepted, in seconds. */
  acceptedAt: v.number(),
  fresh: v.string(),
  head: v.optional(v.string()),
})
type Saved = v.InferOutput<typeof savedSchema>

const stateKey = 'manifest'
const lotKey = 'lot'
const lotSchema = v.pipe(
  v.number(),
  v.check((lot) => lot >= 0 && lot < 1, 'no lot'),
)

/**
 * What the worker believes of the site: the newest signed head, kept up to date without making a page wait for it.
 * While it believes nothing, or nothing that is still valid, requests are answered plainly.
 */
export class Manifests {
  readonly #options: ManifestsOptions
  readonly #parts: Parts
  readonly #roots: Roots
  /** Heads of pages that are a deploy behind or ahead. One that could not be had stays so: its page asks plainly. */
  readonly #others = new Map<ContentId, Promise<Catalogue>>()
  /** Where this device stands when only a share of the visitors is let in. */
  #lot = 1
  #isOriginSilent = false
  #isTrackerReachable = false
  /** Of two heads with this number, nobody knows which is the site's. */
  #doubtedSeq = 0
  #toldRule = ''
  #loading: Promise<void> | undefined
  #trusted: TrustedManifest | undefined
  #saved: Saved | undefined
  #refreshing: Promise<void> | undefined
  /** Whether requests wait a moment for the refresh under way. */
  #isAwaited = false
  #triedAt = Number.NEGATIVE_INFINITY
  #failures = 0

  constructor(options: ManifestsOptions) {
    this.#options = options
    const { root: pinned, origin, state, report } = options
    this.#roots = new Roots({ pinned, origin, state, report })
    this.#parts = new Parts(options.cache, (id) => origin.readPart(id), options.now)
  }

  /** Before a page loads: its requests are to be answered from the newest manifest. */
  async onNavigation(): Promise<void> {
    await this.#load()
    this.#isAwaited = true
    await this.#refresh()
  }

  /**
   * Before a request is answered: waits only for what a navigation or a suspicion began, and never long. False where
   * that is still on its way, for then the page may be newer than what is believed.
   */
  async prepare(): Promise<boolean> {
    await this.#load()
    const refreshing = this.#isAwaited || !this.isValid ? this.#refreshing : undefined
    const isKnown =
      refreshing === undefined ||
      (await within(
        refreshWaitMs,
        refreshing.then(() => true),
      )) === true
    if (this.#isRefreshDue()) void this.#refresh()
    return isKnown
  }

  /** What was believed turned out to be old: the origin serves something else. */
  suspect(): void {
    if (this.#options.now() - this.#triedAt < this.#pause()) return
    this.#isAwaited = true
    void this.#refresh()
  }

  /** Whether the origin's newest word is known and still holds. */
  get isValid(): boolean {
    const { fresh, isCurrent } = this.#trusted ?? {}
    return isCurrent === true && fresh !== undefined && fresh.expires > this.#seconds() && this.#hasHead
  }

  /** @param path what peers are to be asked for; without one, whether they are asked at all */
  mayUsePeers(path?: string): boolean {
    if (!this.#hasHead || !this.#isLetIn) return false
    const isAllowed = this.#trusted?.mayUsePeers(this.#seconds(), this.#isCutOff) ?? false
    return isAllowed && (path === undefined || (this.#trusted?.isShared(path) ?? false))
  }

  /**
   * A peer believes this fresh. It is not taken, for the origin alone says what holds; but a newer one is a reason to ask
   * the origin, and a contradiction is one to trust neither.
   */
  async hear(envelope: string): Promise<void> {
    await this.#load()
    const candidate = await this.#restore()
    try {
      const { issued } = await candidate.acceptFresh(envelope, this.#seconds())
      if (issued > (this.#saved?.issued ?? 0)) this.suspect()
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === 'equivocal')) throw error
      this.#doubt(candidate.floor.seq)
    }
  }

  /** Resolves when no refresh is under way any more. */
  async settled(): Promise<void> {
    await this.#load()
    await this.#refreshing
  }

  /** A page's connection to the tracker came or went. */
  trackerIs(isReachable: boolean): void {
    this.#isTrackerReachable = isReachable
    this.#tellChanges()
  }

  /** Tells anew what holds. */
  async tellRule(): Promise<void> {
    await this.#load()
    this.#toldRule = ''
    this.#tellChanges()
  }

  /** Whether a page that was made with this head, or says nothing, is as new as what is believed. */
  isNewest(head: ContentId | undefined): boolean {
    return head === undefined || head === this.#trusted?.headHash
  }

  /** The asset at a path in the last head that was believed, or in the one that a page names, and has not expired; undefined also where it was revoked. */
  async find(path: string, head?: ContentId): Promise<Asset | undefined> {
    const trusted = this.#trusted
    if (trusted === undefined || !this.#hasHead) return undefined
    const catalogue = head === undefined || this.isNewest(head) ? trusted : await this.#other(trusted, head)
    const asset = await catalogue.find(path, (id) => this.#parts.read(id))
    return asset && !trusted.isRevoked(asset.id) ? asset : undefined
  }

  /**
   * Takes a newer fresh, from wherever it came.
   * @param isOrigins it came from the origin itself: then a strange key is worth looking for a newer root
   */
  async take(envelope: string, isOrigins: boolean = false): Promise<void> {
    const { now, onRevoked, onUnregister } = this.#options
    await this.#load()
    const { candidate, fresh } = await this.#accept(envelope, isOrigins)
    const head = candidate.isCurrent ? this.#saved?.head : await this.#readHead(candidate, fresh.head)
    const acceptedAt = Math.floor(now() / 1000)
    const { seq, issued, site } = fresh
    // Also without its head: the kill switch and the revocations hold all the same.
    await this.#believe(candidate, { site, seq, issued, acceptedAt, fresh: envelope, head })
    if (fresh.revoked.length > 0) onRevoked(fresh.revoked)
    this.#tellChanges()
    if (fresh.unregister) onUnregister()
    if (head === undefined) throw new Error('Cannot take fresh: there is no good head for it')
  }

  #other(trusted: TrustedManifest, hash: ContentId): Promise<Catalogue> {
    const { origin } = this.#options
    const read = async (): Promise<Catalogue> => {
      const bytes = await origin.readFile(manifestFiles.head(hash), envelopeLimit(headLimitBytes), 'default')
      return trusted.openOther(textOf(bytes), hash, this.#seconds())
    }
    const catalogue = this.#others.get(hash) ?? read()
    this.#others.delete(hash)
    this.#others.set(hash, catalogue)
    const [oldest] = this.#others.keys()
    if (this.#others.size > otherHeadsKept && oldest !== undefined) this.#others.delete(oldest)
    return catalogue
  }

  async #accept(
    envelope: string,
    isOrigins: boolean,
  ): Promise<{ readonly candidate: TrustedManifest; readonly fresh: Fresh }> {
    const candidate = await this.#restore()
    try {
      return { candidate, fresh: await candidate.acceptFresh(envelope, this.#seconds()) }
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : undefined
      if (code === 'equivocal') this.#doubt(candidate.floor.seq)
      const mayHaveMissed = code === 'outdated' || (isOrigins && (code === 'untrusted' || code === 'expired'))
      if (!mayHaveMissed || !(await this.#roots.follow())) throw error
    }
    const follower = await this.#restore()
    return { candidate: follower, fresh: await follower.acceptFresh(envelope, this.#seconds()) }
  }

  #doubt(seq: number): void {
    this.#doubtedSeq = seq
    this.#tellChanges()
  }

  /** Whether the operator lets this device have peers, as far as is known. */
  get #isLetIn(): boolean {
    const { fresh } = this.#trusted ?? {}
    return fresh === undefined || (fresh.peers && fresh.share > this.#lot && fresh.seq !== this.#doubtedSeq)
  }

  get #isCutOff(): boolean {
    return this.#isOriginSilent && !this.#isTrackerReachable
  }

  #tellChanges(): void {
    const { fresh, root } = this.#trusted ?? {}
    const seconds = fresh && this.mayUsePeers() ? fresh.expires + (this.#isCutOff ? fresh.grace : 0) : 0
    // In this device's own time.
    const servesUntil = seconds === 0 ? 0 : seconds * 1000 - this.#options.origin.clockOffsetMs
    const rule: Rule = {
      peers: this.#isLetIn,
      servesUntil,
      off: fresh?.off ?? [],
      word: this.#saved?.fresh,
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
    return (this.#trusted?.head?.expires ?? 0) > this.#seconds()
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
    this.#saved = await loadAs(state, stateKey, v.optional(savedSchema), undefined, report)
    this.#lot = await loadAs(state, lotKey, lotSchema, 1, report)
    if (this.#lot === 1) {
      this.#lot = random()
      await state.save(lotKey, this.#lot).catch(report)
    }
    try {
      this.#trusted = await this.#restore()
    } catch (error) {
      report(error)
    }
  }

  /** A manifest that believes what was believed last. */
  async #restore(): Promise<TrustedManifest> {
    const root = await this.#roots.newest()
    const saved = this.#saved?.site === root.site ? this.#saved : undefined
    const trusted = new TrustedManifest(root)
    try {
      // As of then: an expired fresh still tells the floor, the revocations and the head, and never allows peers. The
      // floor is only what it says: numbers beside it, which any script can write, would shut the origin out for good.
      if (saved) await trusted.acceptFresh(saved.fresh, saved.acceptedAt)
      if (saved?.head !== undefined) await trusted.acceptHead(saved.head, this.#seconds())
    } catch (error) {
      this.#options.report(error)
    }
    return trusted
  }

  /** Keeps before it uses, so that no restart forgets how new the newest was (rollback). */
  async #believe(candidate: TrustedManifest, saved: Saved): Promise<void> {
    const { state, report } = this.#options
    try {
      await state.save(stateKey, saved)
    } catch (error) {
      report(error) // a device that keeps nothing still gets this life's protection
    }
    if (this.#saved && this.#saved.site === saved.site && this.#saved.issued > saved.issued) return
    const isNewHead = candidate.headHash !== this.#trusted?.headHash
    this.#saved = saved
    this.#trusted = candidate
    const ids = candidate.head?.index.map(({ id }) => id)
    if (ids === undefined || !isNewHead) return
    await this.#parts.keepOnly(ids)
    // An origin that goes away later must not take the catalogue with it: peers and the store may have the assets.
    if (ids.length <= partsReadAhead) for (const id of ids) this.#parts.read(id).catch(report)
  }

  #isRefreshDue(): boolean {
    const sinceMs = this.#options.now() - this.#triedAt
    const { fresh } = this.#trusted ?? {}
    if (!this.isValid || fresh === undefined) return sinceMs >= this.#pause()
    // Well before its end, so that no request has to be answered plainly, and not with each of them.
    const life = fresh.expires - fresh.issued
    const pauseMs = Math.min(refreshPauseLimitMs, (life * 1000) / 10)
    return fresh.expires - this.#seconds() < life / 3 && sinceMs >= Math.max(pauseMs, this.#pause())
  }

  #pause(): number {
    return Math.min(refreshPauseMs * 2 ** this.#failures, refreshPauseLimitMs)
  }

  /** One at a time; its failure is reported and makes the next one wait longer. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetchFresh()
    return this.#refreshing
  }

  async #fetchFresh(): Promise<void> {
    const { origin, now, report } = this.#options
    this.#triedAt = now()
    try {
      const envelope = textOf(await origin.readFile(manifestFiles.fresh, envelopeLimit(freshLimitBytes), 'no-store'))
      this.#isOriginSilent = false
      await this.take(envelope, true)
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      // No answer at all; one that says no, or says nonsense, is an origin that can be reached.
      if (error instanceof OriginError && error.cause !== undefined) this.#isOriginSilent = true
      this.#tellChanges()
      report(error)
    } finally {
      this.#refreshing = undefined
      this.#isAwaited = false
    }
  }
}
