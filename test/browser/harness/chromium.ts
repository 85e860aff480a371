import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { findChromium } from '../../../scripts/find-chromium.mjs'
import type { Scene } from './scene.ts'

export interface BrowserProcess {
  readonly context: BrowserContext
  readonly page: Page
  /** Ends the process as a crash would: no `pagehide`, no goodbye to peers. */
  kill(): Promise<void>
}

export interface BrowserOptions {
  /** Run in every page before its own scripts. */
  readonly initScript?: () => void
  /** Whether pages that are left may be kept, to come back as they were. Default: false. */
  readonly hasBackForwardCache?: boolean
  readonly viewport?: { readonly width: number; readonly height: number }
  /** More of its command line. */
  readonly args?: readonly string[]
}

/** Of every Chromium that is driven here: as root, without a screen, and asking nobody else for anything. */
export const quietFlags: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const flags = [
  ...quietFlags,
  '--autoplay-policy=no-user-gesture-required',
  // Only both together let two browsers meet where nothing but loopback exists.
  '--allow-loopback-in-peer-connection',
  '--use-fake-ui-for-media-stream',
]

/** A browser process of its own with an empty profile. */
export async function openBrowser(scene: Scene, options: BrowserOptions = {}): Promise<BrowserProcess> {
  const executablePath = findChromium()
  if (executablePath === undefined) {
    throw new Error('Cannot open a browser: install Chromium or Chrome, or name its path in CHROME_PATH')
  }
  const profile = await mkdtemp(join(tmpdir(), 'nearhand-profile-'))
  // Where a browser was killed, its last files may still be on their way.
  scene.onEnd(() => rm(profile, { recursive: true, force: true, maxRetries: 10 }))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    args: [...flags, ...(options.args ?? [])],
    ...(options.hasBackForwardCache === true && { ignoreDefaultArgs: ['--disable-back-forward-cache'] }),
    viewport: options.viewport ?? { width: 800, height: 600 },
  })
  scene.onEnd(() => context.close())
  if (options.initScript) await context.addInitScript(options.initScript)
  const page = context.pages()[0] ?? (await context.newPage())
  return { context, page, kill: () => kill(context) }
}

async function kill(context: BrowserContext): Promise<void> {
  const browser = context.browser()
  if (browser === null) throw new Error('Cannot kill browser: it is no process of its own')
  const session = await browser.newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  const main = processInfo.find((one) => one.type === 'browser')
  if (main === undefined) throw new Error('Cannot kill browser: it names no process')
  const closed = new Promise((resolve) => context.once('close', resolve))
  process.kill(main.id, 'SIGKILL')
  await closed
}
