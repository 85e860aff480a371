import type { Clock } from './clock.ts'
import { Bans } from './bans.ts'
import { uploadLimitOn } from './consent.ts'
import { awaitLeadership } from './leader.ts'
import type { Settings } from './options.ts'
import type { Page } from './page.ts'
import type { PeeringStatus } from './peering.ts'
import { Peering } from './peering.ts'
import { Tabs } from './tabs.ts'

export interface TabRoleOptions {
  readonly page: Page
  readonly clock: Clock
  readonly settings: Settings
  readonly changed: (status: PeeringStatus) => void
  readonly failed: (error: unknown) => void
}

const nothing: PeeringStatus = { isLinked: false, peers: [], uploadedBytes: 0, bannedPeers: 0 }

/** This tab's part in the one set of connections that a device has to a site: it holds them, or hears of them. */
export class TabRole {
  readonly #options: TabRoleOptions
  readonly #bans = new Bans()
  #status: PeeringStatus = nothing
  #tabs: Tabs | undefined
  #peering: Peering | undefined
  #leave: (() => void) | undefined

  constructor(options: TabRoleOptions) {
    this.#options = options
  }

  get status(): PeeringStatus {
    return this.#status
  }

  /** Hears of the connections, and holds them as soon as no other tab does, if this one may. */
  take(mayConnect: boolean): void {
    const { page, settings } = this.#options
    this.#tabs ??= new Tabs(
      () => this.#peering?.status,
      (status) => this.#learn(status),
    )
    if (!mayConnect) this.#disconnect()
    else this.#leave ??= awaitLeadership(page.locks, `nearhand-leader ${settings.base}`, () => this.#lead())
  }

  /** Lets go of everything that would keep the page out of the back/forward cache. */
  release(): void {
    this.#disconnect()
    this.#tabs?.close()
    this.#tabs = undefined
  }

  relink(): void {
    this.#peering?.relink()
  }

  limitUpload(): void {
    this.#peering?.limitUpload()
  }

  #lead(): void {
    const { page, clock, settings, failed } = this.#options
    const peering = new Peering({
      clock,
      workerUrl: settings.workerUrl,
      trackerUrl: settings.trackerUrl,
      bans: this.#bans,
      uploadLimit: () => uploadLimitOn(page.line, settings.uploadBytesPerSecond),
      serviceWorker: () => page.serviceWorkers?.controller ?? undefined,
      changed: () => {
        if (this.#peering !== peering) return
        this.#learn(peering.status)
        this.#tabs?.tell(peering.status)
      },
      failed,
    })
    this.#peering = peering
    peering.start().catch(failed)
  }

  #disconnect(): void {
    const wasLeading = this.#peering !== undefined
    this.#peering?.stop()
    this.#peering = undefined
    this.#leave?.()
    this.#leave = undefined
    if (wasLeading) this.#tabs?.tell(nothing)
    this.#learn(nothing)
  }

  #learn(status: PeeringStatus): void {
    this.#status = status
    this.#options.changed(status)
  }
}
