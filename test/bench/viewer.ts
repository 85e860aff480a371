import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { findChromium } from '../../scripts/find-chromium.mjs'

/** Bytes by source as the worker counts them. */
export interface ViewerTotals {
  readonly bytes: { readonly store: number; readonly peers: number; readonly origin: number }
  readonly duplicateBytes: number
  readonly requests: number
  readonly fallbacks: number
  readonly badChunks: number
}

interface BenchInPage {
  readonly finished: Promise<number>
  load(): Promise<number>
}

declare global {
  // oxlint-disable-next-line no-var
  var bench: BenchInPage
}

/** The tag's public face, as far as the benchmark uses it. */
interface NearhandInPage {
  connected(): Promise<void>
  stats(): Promise<ViewerTotals>
}

/** A device: one browser process with a profile of its own, and one tab. */
export interface Viewer {
  open(url: string): Promise<void>
  /** Until the worker answers this page's requests. */
  untilControlled(): Promise<void>
  untilConnected(): Promise<void>
  /** Milliseconds until the page that loads by itself was finished. */
  finished(): Promise<number>
  /** Has the page insert the media; milliseconds until all were there. */
  insert(): Promise<number>
  /** Undefined where the page has none of our script. */
  totals(): Promise<ViewerTotals | undefined>
  close(): Promise<void>
}

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Several browsers share one machine here; a window that is not in front must not be slowed down for it.
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  // Only both together let two browsers meet where nothing but loopback exists.
  '--allow-loopback-in-peer-connection',
  '--use-fake-ui-for-media-stream',
]

export async function openViewer(): Promise<Viewer> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new Error('Cannot open a browser: install Chromium or Chrome, or name its path in CHROME_PATH')
  }
  const profile = await mkdtemp(join(tmpdir(), 'nearhand-bench-profile-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: flags,
    viewport: { width: 800, height: 600 },
  })
  const page = context.pages()[0] ?? (await context.newPage())
  return viewerOf(page, async () => {
    await context.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 10 })
  })
}

function viewerOf(page: Page, close: () => Promise<void>): Viewer {
  return {
    open: async (url) => void (await page.goto(url, { waitUntil: 'domcontentloaded' })),
    untilControlled: () =>
      page.evaluate(async () => {
        const { serviceWorker } = navigator
        await new Promise<void>((resolve) => {
          if (serviceWorker.controller) resolve()
          else serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true })
        })
      }),
    untilConnected: () =>
      page.evaluate(() => (globalThis as unknown as { nearhand: NearhandInPage }).nearhand.connected()),
    finished: () => page.evaluate(() => bench.finished),
    insert: () => page.evaluate(() => bench.load()),
    totals: () => page.evaluate(() => (globalThis as unknown as { nearhand?: NearhandInPage }).nearhand?.stats()),
    close,
  }
}
