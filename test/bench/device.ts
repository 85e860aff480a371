import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { findChromium } from '../../scripts/find-chromium.mjs'
import { quietFlags } from '../browser/harness/chromium.ts'

/** One browser process with a profile of its own, and one tab. */
export interface Device {
  readonly context: BrowserContext
  readonly page: Page
  /** Of the browser's main process. */
  readonly pid: number
  /** Ends it as a crash would. */
  kill(): Promise<void>
  /** Stops its service workers, as the browser itself does when it wants the memory. */
  stopServiceWorkers(): Promise<void>
  readonly close: () => Promise<void>
}

export interface DeviceOptions {
  /** What its requests are told apart by. */
  readonly userAgent?: string
}

const flags = [
  ...quietFlags,
  // Several browsers share one machine here; a window that is not in front must not be slowed down for it.
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  // Only both together let two browsers meet where nothing but loopback exists.
  '--allow-loopback-in-peer-connection',
  '--use-fake-ui-for-media-stream',
]

export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  const profile = await mkdtemp(join(tmpdir(), 'nearhand-bench-profile-'))
  const context = await chromium.launchPersistentContext(profile, {
    ...launchOptions(),
    viewport: { width: 800, height: 600 },
    ...options,
  })
  const page = context.pages()[0] ?? (await context.newPage())
  const pid = await mainProcess(context)
  const closed = new Promise<void>((resolve) => context.once('close', () => resolve()))
  return {
    context,
    page,
    pid,
    kill: async () => {
      process.kill(pid, 'SIGKILL')
      await closed
    },
    stopServiceWorkers: async () => {
      const session = await context.newCDPSession(page)
      await session.send('ServiceWorker.enable')
      await session.send('ServiceWorker.stopAllWorkers')
      await session.detach()
    },
    close: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** One process for visitors who never were here before, each a context of it. */
export async function openSharedBrowser(): Promise<Browser> {
  return chromium.launch(launchOptions())
}

function launchOptions(): { executablePath: string; headless: boolean; args: string[] } {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new Error('Cannot open a browser: install Chromium or Chrome, or name its path in CHROME_PATH')
  }
  return { executablePath, headless: true, args: flags }
}

async function mainProcess(context: BrowserContext): Promise<number> {
  const browser = context.browser()
  if (browser === null) throw new Error('Cannot measure browser: it is no process of its own')
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const main = processInfo.find((one) => one.type === 'browser')
  if (main === undefined) throw new Error('Cannot measure browser: it names no process')
  return main.id
}
