import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import type { PeerId } from '../../../protocol/ids.ts'
import { peerIdSchema, swarmIdSchema } from '../../../protocol/ids.ts'
import { parseValue } from '../../../protocol/json.ts'
import { uploadBytesPerSecond } from '../../../protocol/limits.ts'
import type { StoredAsset } from '../../../protocol/store-layout.ts'
import type { Signal } from '../../../protocol/tracker-wire.ts'
import { findChromium } from '../../../scripts/find-chromium.mjs'
import { passFor, passNow, trustOf } from '../../protocol/passes.ts'
import type { LabEnd } from './lab.ts'
import type { Joined, ReadResult } from './page-exchange.ts'
import type { LinkPage } from './page.ts'
import type { Timeline } from './timeline.ts'
import { quietFlags } from '../../browser/harness/chromium.ts'

declare const linkPage: LinkPage

const url = 'http://localhost/'
const contentBytes = 16 * 1024 * 1024
const swarm = parseValue(swarmIdSchema, '5'.repeat(32), 'swarm')

const flags = [
  ...quietFlags,
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  // The name that would stand for an address could be found on no link of ours.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
]

/** One browser at each end of the lab. */
export interface LinkBrowsers {
  /** Connects new pages at end 0 and the first so many others; gives end 0. */
  meet(senders: number, isBulk: boolean): Promise<Reader>
  close(): Promise<void>
}

interface Reader {
  /** Has the exchange read for so long. */
  read(forMs: number): Promise<ReadResult>
  /** Has the others send without end for so long. */
  receiveBulk(forMs: number): Promise<Timeline>
}

/** @param files where the page's script and the worker lie */
export async function openBrowsers(
  ends: readonly LabEnd[],
  files: { readonly script: string; readonly worker: string },
): Promise<LinkBrowsers> {
  const browsers: LinkBrowser[] = []
  const close = async (): Promise<void> => void (await Promise.all(browsers.map((browser) => browser.close())))
  try {
    for (const [at, end] of ends.entries()) browsers.push(await openBrowser(end, at, files))
    let asset: StoredAsset | undefined
    for (const browser of browsers.slice(1)) {
      await browser.open(() => {})
      asset = await browser.page.evaluate((size) => linkPage.store(size), contentBytes)
    }
    const content = asset
    if (content === undefined) throw new RangeError('Cannot connect browsers: nobody to send')
    return { meet: (senders, isBulk) => meet(browsers.slice(0, senders + 1), content, isBulk), close }
  } catch (error) {
    await close()
    throw error
  }
}

interface LinkBrowser {
  readonly self: PeerId
  readonly page: Page
  /** Loads the page anew. */
  open(carry: (to: PeerId, signal: Signal) => void): Promise<void>
  close(): Promise<void>
}

async function openBrowser(
  end: LabEnd,
  at: number,
  files: { readonly script: string; readonly worker: string },
): Promise<LinkBrowser> {
  const found = findChromium()
  if (found === undefined) {
    throw new Error('Cannot open a browser: install Chromium or Chrome, or name its path in CHROME_PATH')
  }
  const profile = await mkdtemp(join(tmpdir(), 'nearhand-link-profile-'))
  const executablePath = await end.browserPath(found)
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, args: flags })
  const page = context.pages()[0] ?? (await context.newPage())
  page.on('console', (message) => message.type() === 'error' && console.error(`${end.name}: ${message.text()}`))
  page.on('pageerror', (error) => console.error(`${end.name}: ${error.message}`))
  let carry: (to: PeerId, signal: Signal) => void = () => {}
  await page.exposeFunction('tellSignal', (to: PeerId, signal: Signal) => carry(to, signal))
  await serve(context, files)
  return {
    self: peerOf(at),
    page,
    open: async (carrySignal) => {
      carry = carrySignal
      await page.goto(url)
    },
    close: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** The files of the page come from here: nothing but the line lies between the namespaces. */
async function serve(context: BrowserContext, files: { readonly script: string; readonly worker: string }) {
  const [script, worker] = await Promise.all([readFile(files.script, 'utf8'), readFile(files.worker, 'utf8')])
  const contentType = 'text/javascript'
  const html = '<!doctype html><link rel="icon" href="data:,"><script src="/page.js"></script>'
  await context.route(url, (route) => route.fulfill({ contentType: 'text/html', body: html }))
  await context.route(`${url}page.js`, (route) => route.fulfill({ contentType, body: script }))
  await context.route(`${url}nearhand-worker.js`, (route) => route.fulfill({ contentType, body: worker }))
}

const peerOf = (at: number): PeerId => parseValue(peerIdSchema, String(at + 1).repeat(32), 'peer')

async function meet(browsers: readonly LinkBrowser[], asset: StoredAsset, isBulk: boolean): Promise<Reader> {
  for (const browser of browsers) {
    const { self, page } = browser
    await browser.open((to, signal) => {
      const other = browsers.find((browser) => browser.self === to)
      void other?.page.evaluate(([from, told]) => linkPage.signalled(from, told), [self, signal] as const)
    })
    const fingerprint = await page.evaluate(() => linkPage.certify())
    if (!isBulk) await page.evaluate((joined) => linkPage.join(joined), joinedOf(fingerprint))
  }
  const [reader, ...senders] = browsers
  if (reader === undefined) throw new RangeError('Cannot connect browsers: nobody to read')
  for (const sender of senders) {
    const pair = [sender.self, reader.self, isBulk] as const
    await sender.page.evaluate(([own, peer, bulk]) => linkPage.meet(own, peer, false, bulk), pair)
    await reader.page.evaluate(([peer, own, bulk]) => linkPage.meet(own, peer, true, bulk), pair)
  }
  await Promise.all(senders.map(({ page }) => page.evaluate(() => linkPage.untilOpen(1))))
  await reader.page.evaluate((count) => linkPage.untilOpen(count), senders.length)
  if (isBulk) await Promise.all(senders.map(({ page }) => page.evaluate(() => linkPage.sendBulk())))
  return {
    read: (forMs) => reader.page.evaluate(([row, ms]) => linkPage.read(row, ms), [asset, forMs] as const),
    receiveBulk: (forMs) => reader.page.evaluate((ms) => linkPage.receiveBulk(ms), forMs),
  }
}

function joinedOf(fingerprint: string): Joined {
  return {
    pass: passFor(fingerprint),
    trust: trustOf(),
    now: passNow,
    swarms: [{ section: '/', swarm }],
    uploadBytesPerSecond,
  }
}
