import { backoffMs } from './backoff.ts'
import { Bans } from './bans.ts'
import { uploadLimitIn } from './circumstances.ts'
import type { Clock } from './clock.ts'
import { guardClock } from './clock.ts'
import { KnownPeers } from './known-peers.ts'
import { Leadership } from './leadership.ts'
import type { Settings } from './options.ts'
import type { Page } from './page.ts'
import type { PeeringStatus } from './peering.ts'
import type { RunningPeering } from './peers.ts'
import { Tabs } from './tabs.ts'
import { UploadDay } from './upload-day.ts'

export interface TabRoleOptions {
  readonly page: Page
  readonly clock: Clock
  readonly settings: Settings
  readonly changed: () => void
}

const nothing: PeeringStatus = { isLinked: false, peers: [], bannedPeers: 0 }
/** A line that is cut leaves an import hanging for minutes. */
const loadMs = 30_000
const firstRetryMs = 5000
const longestRetryMs = 300_000

/** This tab's part in the one set of connections that a device has to a site: it holds them, or hears of them. */
export class TabRole {
  readonly #options: TabRoleOptions
  readonly #bans: Bans
  readonly #known: KnownPeers
  readonly #clock: Clock
  readonly #leadership: Leadership
  /** What this device gives to others. */
  readonly today: UploadDay
  #status: PeeringStatus = nothing
  #tabs: Tabs | undefined
  #peering: RunningPeering | undefined
  /** Times that this tab took the lead or gave it up. */
  #turn = 0
  /** The file that connects. */
  #loading: ReturnType<Page['loadPeers']> | undefined
  /** Times that it did not load. */
  #misses = 0
  #failures = 0
  #cancelRetry: (() => void) | undefined

  constructor(options: TabRoleOptions) {
    const { page, clock, settings } = options
    this.#options = options
    this.#bans = new Bans(page.tabMemory)
    this.#known = new KnownPeers(page.tabMemory)
    this.today = new UploadDay(page.memory, page.date, settings.uploadBytesPerDay)
    this.#clock = guardClock(clock, (error) => this.#fail(error))
    this.#leadership = new Leadership({
      locks: page.locks,
      base: settings.base,
      clock: this.#clock,
      tell: (message) => this.#tabs?.tell(message),
      lead: () => this.#lead(),
      leave: () => this.#halt(),
    })
  }

  get status(): PeeringStatus {
    return this.#status
  }

  /** Hears of the connections, and holds them as soon as no other tab does, if this one may. */
  take(mayConnect: boolean): void {
    const { page, settings } = this.#options
    this.#tabs ??= new Tabs(
      settings.base,
      () => this.#peering?.status,
      (status) => this.#learn(status),
      (message) => this.#leadership.hear(message),
    )
    if (!mayConnect) this.#disconnect()
    else if (!this.#cancelRetry) {
      // Also in a tab that waits: it takes over where the other one crashes.
      this.#load().catch(() => {}) // told to the one who needs it
      this.#leadership.take(page.isVisible)
    }
  }

  /** Lets go of everything that would keep the page out of the back/forward cache. */
  release(): void {
    this.#disconnect()
    this.#tabs?.close()
    this.#tabs = undefined
  }

  /** The visitor came to this tab, or left it. */
  see(): void {
    this.#leadership.see(this.#options.page.isVisible)
  }

  relink(): void {
    this.#peering?.relink()
  }

  limitUpload(): void {
    this.#peering?.limitUpload()
  }

  #lead(): void {
    this.#turn += 1
    const turn = this.#turn
    const isCurrent = (): boolean => this.#turn === turn
    const failed = (error: unknown): void => {
      if (isCurrent()) this.#fail(error)
    }
    this.#connect(isCurrent, failed).catch(failed)
  }

  async #connect(isCurrent: () => boolean, failed: (error: unknown) => void): Promise<void> {
    const { page, settings } = this.#options
    const { createPeering } = await this.#load()
    if (!isCurrent()) return
    const peering = createPeering({
      clock: this.#clock,
      workerUrl: settings.workerUrl,
      base: settings.base,
      trackerUrl: settings.trackerUrl,
      joinUrl: settings.joinUrl,
      joinCredentials: settings.joinCredentials,
      bans: this.#bans,
      today: this.today,
      known: settings.isRelayOnly ? undefined : this.#known.ids,
      isRelayOnly: settings.isRelayOnly,
      locks: page.locks,
      uploadLimit: () => uploadLimitIn(page.circumstances, settings.uploadBytesPerSecond),
      serviceWorker: () => page.serviceWorkers?.controller ?? undefined,
      changed: () => {
        if (!isCurrent()) return
        this.#learn(peering.status)
        this.#tabs?.tell({ type: 'status', status: peering.status })
      },
      failed,
    })
    this.#peering = peering
    await peering.start()
  }

  #load(): ReturnType<Page['loadPeers']> {
    const { page, settings } = this.#options
    // Many browsers never ask again for a module that did not load (https://github.com/whatwg/html/issues/6768), but do
    // for one of another fragment, which no server hears of.
    const fragment = this.#misses === 0 ? '' : `#${this.#misses}`
    this.#loading ??= this.#inTime(() => page.loadPeers(settings.peersUrl + fragment)).catch((cause: unknown) => {
      this.#misses += 1
      this.#loading = undefined
      throw new Error('Cannot connect to others: the file that does so did not load', { cause })
    })
    return this.#loading
  }

  #inTime<Result>(load: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(loadMs, () => reject(new Error('no answer')))
      load().then(resolve, reject).finally(cancel)
    })
  }

  /** Peers are an extra: the worker goes on without them, and so may another tab with them. */
  #fail(error: unknown): void {
    console.warn('Nearhand goes on without peers', error)
    this.#disconnect()
    const pauseMs = backoffMs(this.#failures, firstRetryMs, longestRetryMs, Math.random)
    this.#failures += 1
    this.#cancelRetry = this.#clock.after(pauseMs, () => {
      this.#cancelRetry = undefined
      this.take(true)
    })
  }

  #disconnect(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = undefined
    this.#leadership.drop()
    this.#halt()
  }

  /** Closes every connection of this tab. */
  #halt(): void {
    this.#turn += 1
    const wasLeading = this.#peering !== undefined
    this.#peering?.stop()
    this.#peering = undefined
    if (wasLeading) this.#tabs?.tell({ type: 'status', status: nothing })
    this.#learn(nothing)
  }

  #learn(status: PeeringStatus): void {
    this.#status = status
    this.#known.note(status.peers)
    this.#options.changed()
  }
}
