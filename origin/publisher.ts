import { join } from 'node:path'
import type { ContentId } from '../protocol/ids.ts'
import { adoptPublished } from './adopt.ts'
import type { OriginConfig } from './config.ts'
import type { Switches } from './fresh.ts'
import { defaultSwitches, signFresh } from './fresh.ts'
import { headHashes, headSignerOf } from './head.ts'
import { injectionOf } from './inject.ts'
import type { SiteKeys } from './keys.ts'
import { headWarning, rootWarning } from './lives.ts'
import type { Publication, PublishedAsset } from './publish.ts'
import { publishFolder } from './publish.ts'

const headSeconds = 30 * 86_400
const renewPauseSeconds = 3600
const noticePauseSeconds = 2
const pagesTold = 5
const warnPauseSeconds = 7 * 86_400

interface SignedFresh {
  readonly envelope: string
  /** See `headHashes`. */
  readonly heads: string
  readonly keys: SiteKeys
  readonly switches: Switches
  readonly issued: number
  readonly expires: number
}

/** Publishes, one run at a time, and keeps the signed word about the newest head fresh. */
export class Publisher {
  readonly manifestFolder: string
  readonly #config: OriginConfig
  readonly #onPublished: (publication: Publication, isNews: boolean) => void
  readonly #stopped = new AbortController()
  #keys: SiteKeys
  #nextKeys: SiteKeys | undefined
  #publication: Publication | undefined
  #byId: ReadonlyMap<ContentId, PublishedAsset> = new Map()
  #renewedAt = 0
  #noticedAt = 0
  #left = ''
  #warnedAt = 0
  #running: Promise<Publication> | undefined
  #waiting: Promise<Publication> | undefined
  #switches: Switches = defaultSwitches
  #revoked: ReadonlySet<string> = new Set()
  #fresh: SignedFresh | undefined

  constructor(config: OriginConfig, keys: SiteKeys, onPublished: (publication: Publication, isNews: boolean) => void) {
    this.manifestFolder = join(config.state, 'manifest')
    this.#config = config
    this.#keys = keys
    this.#onPublished = onPublished
  }

  get publication(): Publication | undefined {
    return this.#publication
  }

  /** Those that what is published now is signed with. */
  get keys(): SiteKeys {
    return this.#keys
  }

  /** Publishes with other keys. Until that is done those before hold: a word must name a head that its root believes. */
  async changeKeys(keys: SiteKeys): Promise<void> {
    this.#nextKeys = keys
    await this.publish()
  }

  /** One that everybody may have, where several have this content. */
  assetOf(id: ContentId): PublishedAsset | undefined {
    return this.#byId.get(id)
  }

  get minimumSwarm(): number {
    return this.#switches.minimumSwarm
  }

  /** What the operator wants from now on; the next `fresh()` says so. */
  setSwitches(switches: Switches): void {
    this.#switches = switches
    this.#revoked = new Set(switches.revoked)
  }

  /** Whether nobody is to serve this content any more. */
  isRevoked(id: string): boolean {
    return this.#revoked.has(id)
  }

  /** A run that began before this call may have missed what changed since, so one more follows it. */
  publish(): Promise<Publication> {
    if (this.#running === undefined) return this.#start()
    this.#waiting ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#waiting
  }

  /** Publishes where nobody waits for it: a failure is told, and what was published stays. */
  async publishQuietly(): Promise<void> {
    if (this.#stopped.signal.aborted) return
    try {
      await this.publish()
    } catch (error) {
      if (!this.#stopped.signal.aborted)
        this.#config.log(`Cannot publish: ${messageOf(error)}; what was published stays`)
    }
  }

  /** Publishes soon, for a file is not what was published any more. Once a while: every visitor may notice it. */
  noticeChange(): void {
    const now = this.#now()
    if (now - this.#noticedAt < noticePauseSeconds) return
    this.#noticedAt = now
    void this.publishQuietly()
  }

  /**
   * The signed word about the newest head, at most half its life old. It is signed when it is asked for, so a
   * machine that slept never hands out an old one. Undefined where there is none that holds.
   */
  async fresh(): Promise<string | undefined> {
    const publication = this.#publication
    const now = this.#now()
    if (publication === undefined) return undefined
    this.#renewHead(publication, now)
    if (publication.heads.every(({ head }) => head.expires <= now)) return undefined
    const held = this.#fresh
    const switches = this.#switches
    const keys = this.#keys
    const freshSeconds = this.#freshSecondsOf(keys)
    const isSaid = held?.switches === switches && held.keys === keys
    const heads = headHashes(publication.heads)
    const isSame = isSaid && held.heads === heads
    if (isSame && now - held.issued < freshSeconds / 2) return held.envelope
    if (keys.fresh === undefined) return undefined
    // A clock that was set back must not make a word that devices take for a replay, and what was switched within one
    // second of the word before must count as the newer of the two.
    const issued = Math.max(now, held ? held.issued + (isSaid ? 0 : 1) : 0)
    const options = { ...switches, now: issued, seconds: freshSeconds }
    const envelope = await signFresh(keys, publication.heads, options)
    this.#fresh = { heads, envelope, issued, expires: issued + freshSeconds, switches, keys }
    return envelope
  }

  /** The last word that was signed, where it still holds. */
  get lastFresh(): string | undefined {
    return this.#fresh && this.#fresh.expires > this.#now() ? this.#fresh.envelope : undefined
  }

  async close(): Promise<void> {
    this.#stopped.abort(new Error('Cannot publish: the origin is closing'))
    await Promise.allSettled([this.#running, this.#waiting])
  }

  #freshSecondsOf({ root }: SiteKeys): number {
    return Math.min(this.#config.freshSeconds, root.freshSeconds)
  }

  /** A head lives for weeks, a server for longer. Publishing makes a new one in the second half of its life. */
  #renewHead({ head }: Publication, now: number): void {
    if (head.expires - now > headSeconds / 2 || now - this.#renewedAt < renewPauseSeconds) return
    this.#renewedAt = now
    void this.publishQuietly()
  }

  #start(): Promise<Publication> {
    this.#waiting = undefined
    const run = this.#publishOnce().finally(() => {
      if (this.#running === run) this.#running = undefined
    })
    this.#running = run
    return run
  }

  async #publishOnce(): Promise<Publication> {
    const keys = this.#nextKeys ?? this.#keys
    const publication = headSignerOf(keys) ? await this.#sign(keys) : await this.#adopt(keys)
    const before = this.#publication
    const isOtherKeys = keys !== this.#keys
    if (isOtherKeys) this.#takeKeys(keys, publication)
    this.#tellLives(publication)
    this.#byId = assetsById(publication)
    this.#publication = publication
    const isNews = isOtherKeys || (before && headHashes(publication.heads) !== headHashes(before.heads))
    this.#onPublished(publication, before !== undefined && isNews === true)
    return publication
  }

  #takeKeys(keys: SiteKeys, { head }: Publication): void {
    const { version } = keys.root
    // Signed by a key that counts no more: visitors would be left with nothing.
    if (head.seq === 0 && (this.#publication?.head.seq ?? 0) > 0) {
      throw new Error(`Cannot use root ${version} yet: nothing is published that its keys signed (nearhand publish)`)
    }
    this.#keys = keys
    if (this.#nextKeys === keys) this.#nextKeys = undefined
    this.#config.log(`Goes on with the keys of root ${version}, and told the visitors`)
  }

  #adopt(siteKeys: SiteKeys): Promise<Publication> {
    const { folder, state, keys, sections, log, onProgress } = this.#config
    this.#stopped.signal.throwIfAborted()
    return adoptPublished({
      folder,
      out: this.manifestFolder,
      state,
      keys: siteKeys,
      hidden: [keys],
      sections,
      now: this.#now(),
      log,
      signal: this.#stopped.signal,
      ...(onProgress && { onProgress }),
    })
  }

  async #sign(siteKeys: SiteKeys): Promise<Publication> {
    const { folder, state, keys, headers, sections, guarded, urls, scriptNames, onProgress } = this.#config
    this.#stopped.signal.throwIfAborted()
    const left: string[] = []
    const inject = injectionOf(this.#config, (path) => left.push(path))
    const publication = await publishFolder({
      folder,
      out: this.manifestFolder,
      state,
      hidden: [keys],
      keys: siteKeys,
      now: this.#now(),
      headers,
      server: this.#config,
      sections,
      guarded,
      ...(urls && { urls }),
      exclude: Object.values(scriptNames).map((name) => `/${name}`),
      headSeconds,
      freshSeconds: this.#freshSecondsOf(siteKeys),
      log: this.#config.log,
      switches: this.#switches,
      signal: this.#stopped.signal,
      ...(inject && { inject }),
      ...(onProgress && { onProgress }),
    })
    this.#tellLeft(left.toSorted())
    return publication
  }

  /** Nothing else would: the site is served on, only its peers are gone. Once a week at most. */
  #tellLives({ head }: Publication): void {
    const now = this.#now()
    const warnings = [rootWarning(this.#keys.root.expires, now), headWarning(head.expires, now)].flatMap(
      (one) => one ?? [],
    )
    if (warnings.length === 0 || now - this.#warnedAt < warnPauseSeconds) return
    this.#warnedAt = now
    for (const warning of warnings) this.#config.log(warning)
  }

  /** The same pages are told of once. */
  #tellLeft(paths: readonly string[]): void {
    if (paths.join() === this.#left) return
    this.#left = paths.join()
    if (paths.length === 0) return
    const names = paths.slice(0, pagesTold).join(', ') + (paths.length > pagesTold ? ', …' : '')
    this.#config.log(
      `No tag in ${paths.length} of the HTML files, which look like fragments: ${names} (a page begins with <!doctype html>)`,
    )
  }

  #now(): number {
    return Math.floor(this.#config.now() / 1000)
  }
}

function assetsById({ assets }: Publication): ReadonlyMap<ContentId, PublishedAsset> {
  const byId = new Map<ContentId, PublishedAsset>()
  for (const asset of assets.values()) {
    const known = byId.get(asset.id)
    if (known === undefined || known.isGuarded === true) byId.set(asset.id, asset)
  }
  return byId
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
