import type { PageToWorker, WorkerStats } from '../protocol/bridge.ts'
import type { Clock } from './clock.ts'
import type { Settings } from './options.ts'
import type { Page } from './page.ts'
import { removeWorker, reviveWorker } from './register.ts'
import { askStats, askWorker } from './worker-link.ts'

/** The site's service worker on this device: brought up, asked, taken out. */
export class InstalledWorker {
  readonly #page: Page
  readonly #settings: Settings
  readonly #clock: Clock
  #removal: Promise<void> = Promise.resolve()

  constructor(page: Page, settings: Settings, clock: Clock) {
    this.#page = page
    this.#settings = settings
    this.#clock = clock
  }

  /** Whether there can be one that controls this page. */
  get isPossible(): boolean {
    return this.#page.serviceWorkers !== undefined && this.#page.url.startsWith(this.#scope)
  }

  /** The one that answers this page's requests. */
  get controller(): ServiceWorker | undefined {
    return this.#page.serviceWorkers?.controller ?? undefined
  }

  /** Whether this very worker answers the page's requests already, as it does on all pages but the first. */
  get isControlling(): boolean {
    return this.controller?.scriptURL === this.#settings.serviceWorkerUrl
  }

  /** Resolves when one is active. */
  async register(): Promise<void> {
    await this.#removal
    await this.#page.register(this.#settings.serviceWorkerUrl, this.#settings.base)
  }

  /** Lets one that was taken out, and lives on in this page, answer again. */
  async revive(): Promise<void> {
    const { serviceWorkers } = this.#page
    if (serviceWorkers && !(await reviveWorker(serviceWorkers, this.#scope, this.#clock))) {
      throw new Error('Cannot enable: the worker needs a reload')
    }
  }

  /** Takes it out, store and all. */
  async remove(): Promise<void> {
    const { serviceWorkers } = this.#page
    if (serviceWorkers) this.#removal = removeWorker(serviceWorkers, this.#scope, this.#clock)
    await this.#removal
  }

  tell(message: PageToWorker): void {
    this.controller?.postMessage(message)
  }

  /** Resolves when it knows what the site signed: before, it gives plain answers. */
  async settled(): Promise<void> {
    const { controller } = this
    if (controller) await askWorker(controller, 'nearhand:ready', this.#clock)
  }

  /** Undefined where there is none to ask. */
  async stats(): Promise<WorkerStats | undefined> {
    const { controller } = this
    return controller && askStats(controller, this.#clock)
  }

  get #scope(): string {
    return new URL(this.#settings.base, this.#page.url).href
  }
}
