import type { Page } from 'playwright-core'
import type { ChunkTraffic, TrafficMessage } from '../../../protocol/bridge.ts'
import { sha256Of } from './assets.ts'
import type { BrowserOptions, BrowserProcess } from './chromium.ts'
import { openBrowser } from './chromium.ts'
import { storageOf } from './held-assets.ts'
import type { Scene } from './scene.ts'
import type { Site } from './site.ts'
import { untilTrue } from './until.ts'

/** What a page saw of one response. */
export interface Loaded {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly size: number
  readonly sha256: string
}

export interface LoadOptions {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The public face of the tag's script, as far as the tests use it. */
interface NearhandInPage {
  connected(): Promise<unknown>
  stats(): Promise<Stats>
  consent(isGiven: boolean): unknown
  askConsent(): Promise<string>
  readonly consentState: string
  texts: object
  disable(): Promise<unknown>
  enable(): unknown
  readonly state: string
}

export interface Stats {
  readonly bytes: { readonly store: number; readonly peers: number; readonly origin: number }
  readonly duplicateBytes: number
  readonly prefetchedBytes: { readonly peers: number; readonly origin: number }
  readonly requests: number
  readonly fallbacks: number
  readonly badChunks: number
  readonly bannedPeers: number
  readonly uploadedBytes: number
  readonly peers: readonly { readonly id: string }[]
}

interface SiteInPage {
  readonly traffic: readonly TrafficMessage[]
  load(path: string, init?: object): Promise<Loaded>
  sha256(buffer: ArrayBuffer): Promise<string>
  insert(tag: string, path: string): Promise<true>
  storedSpans(id: string): Promise<number>
  play(path: string): Promise<void>
  video: HTMLVideoElement
}

declare global {
  // The page's own globals: code given to `evaluate` runs there.
  // oxlint-disable-next-line no-var
  var nearhand: NearhandInPage
  // oxlint-disable-next-line no-var
  var site: SiteInPage
}

/** Small enough that no test counts its bytes. */
const probe = '/images/small.png'

export class Visitor {
  readonly browser: BrowserProcess
  readonly page: Page
  readonly site: Site

  constructor(browser: BrowserProcess, site: Site) {
    this.browser = browser
    this.page = browser.page
    this.site = site
  }

  /** Another tab of the same browser at the site. */
  async openTab(path = '/'): Promise<Visitor> {
    const tab = new Visitor({ ...this.browser, page: await this.browser.context.newPage() }, this.site)
    await tab.goto(path)
    await tab.untilControlled()
    return tab
  }

  async goto(path: string): Promise<void> {
    await this.page.goto(`${this.site.url}${path}`)
  }

  /** Until the service worker answers this page's requests. */
  async untilControlled(): Promise<void> {
    await this.page.evaluate(async () => {
      const { serviceWorker } = navigator
      await new Promise<void>((resolve) => {
        if (serviceWorker.controller) resolve()
        else serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true })
      })
    })
  }

  /** Until the service worker has a manifest that it believes: before, it answers plainly and stores nothing. */
  async untilAnswering(): Promise<void> {
    await untilTrue(
      this.page,
      async (path: string) => {
        await (await fetch(path)).arrayBuffer()
        const { requests, fallbacks } = await nearhand.stats()
        return requests > fallbacks
      },
      probe,
    )
  }

  /** Until a neighbour is ready, as the public API tells it. */
  async connected(): Promise<void> {
    await this.page.evaluate(async () => {
      await nearhand.connected()
    })
  }

  /** Until so many neighbours can be asked. */
  async untilNeighbours(count: number): Promise<void> {
    await this.connected()
    await untilTrue(this.page, async (least: number) => (await nearhand.stats()).peers.length >= least, count)
  }

  async load(path: string, options: LoadOptions = {}): Promise<Loaded> {
    const loaded = await this.page.evaluate(
      ([wanted, init]) => site.load(wanted, init).catch((error: unknown) => String(error)),
      [path, options] as const,
    )
    if (typeof loaded === 'string') throw new Error(`Cannot load ${path}: ${loaded}`)
    return loaded
  }

  /** Has a script put an element into the page; gives the SHA-256 of what the page was answered. */
  async insert(tag: 'img' | 'script', path: string): Promise<string> {
    const arrived = this.page.waitForResponse((response) => new URL(response.url()).pathname === path)
    await this.page.evaluate(([name, src]) => site.insert(name, src), [tag, path] as const)
    const response = await arrived
    return sha256Of(await response.body())
  }

  /** Plays from a position and waits until frames of it were shown. */
  async play(path: string, fromSeconds = 0): Promise<void> {
    await this.page.evaluate(
      async ([src, seconds]) => {
        if (!globalThis.site.video?.src.endsWith(src)) await site.play(src)
        const { video } = site
        const played = new Promise<void>((resolve, reject) => {
          video.onerror = () => reject(new Error(`Cannot play ${src}: ${video.error?.message}`))
          video.ontimeupdate = () => {
            if (!video.seeking && video.currentTime > seconds + 0.2) resolve()
          }
        })
        if (seconds > 0) video.currentTime = seconds
        await played
      },
      [path, fromSeconds] as const,
    )
  }

  stats(): Promise<Stats> {
    return this.page.evaluate(() => nearhand.stats())
  }

  /** Every chunk of an asset that was told of on this device since the page was opened. */
  async chunks(path: string): Promise<readonly ChunkTraffic[]> {
    const traffic = await this.page.evaluate(() => site.traffic)
    return traffic.filter((message) => message.path === path).flatMap((message) => message.chunks)
  }

  /** Until the device's store holds these assets whole, so that a neighbour can be told so. */
  async untilStored(paths: readonly string[]): Promise<void> {
    const wanted = paths.map((path) => storageOf(this.site.asset(path)))
    await untilTrue(
      this.page,
      async (assets: typeof wanted) => {
        for (const { id, spans } of assets) if ((await site.storedSpans(id)) < spans) return false
        return true
      },
      wanted,
    )
  }

  /** Until so many chunks of an asset were told of. */
  async untilChunks(path: string, count: number): Promise<void> {
    await this.page.waitForFunction(
      ([wanted, least]) => {
        const told = site.traffic.filter((message) => message.path === wanted)
        return told.reduce((sum, message) => sum + message.chunks.length, 0) >= least
      },
      [path, count] as const,
    )
  }

  /** Whether the service worker gave the answer, and not the network past it. */
  async isAnsweredByWorker(path: string, options: LoadOptions = {}): Promise<boolean> {
    const arrived = this.page.waitForResponse((response) => response.url() === `${this.site.url}${path}`)
    await this.load(path, options)
    return (await arrived).fromServiceWorker()
  }

  registrations(): Promise<number> {
    return this.page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)
  }

  /** Gives the site's storage on this device so many bytes and no more. */
  async limitStorage(quotaSize: number): Promise<void> {
    const session = await this.browser.context.newCDPSession(this.page)
    await session.send('Storage.overrideQuotaForOrigin', { origin: this.site.url, quotaSize })
  }

  /** Stops every service worker of this browser, as the browser itself does when it wants the memory. */
  async stopServiceWorkers(): Promise<void> {
    const session = await this.browser.context.newCDPSession(this.page)
    await session.send('ServiceWorker.enable')
    await session.send('ServiceWorker.stopAllWorkers')
    await session.detach()
  }
}

export interface VisitorOptions extends BrowserOptions {
  /** Default: `/`, whose visitors agreed. */
  readonly path?: string
  /** False where the worker is not expected to come up. Default: true. */
  readonly isControlled?: boolean
}

/** A new device that comes to the site and is controlled by its worker. */
export async function openVisitor(scene: Scene, site: Site, options: VisitorOptions = {}): Promise<Visitor> {
  const { path = '/', isControlled = true, ...browserOptions } = options
  const visitor = new Visitor(await openBrowser(scene, browserOptions), site)
  await visitor.goto(path)
  if (isControlled) await visitor.untilControlled()
  return visitor
}

/** A visitor whose store holds these assets, got from the origin. */
export async function openSeeder(scene: Scene, site: Site, paths: readonly string[]): Promise<Visitor> {
  const visitor = await openVisitor(scene, site)
  await visitor.untilAnswering()
  for (const path of paths) await visitor.load(path)
  await visitor.untilStored(paths)
  return visitor
}
