import type { Browser, BrowserContext, Page } from 'playwright-core'
import type { DistantSite } from './bench-site.ts'
import type { PeerLines } from './peer-lines.ts'
import { untilControlled, untilNeighbours } from './seed.ts'
import type { Peers } from './slow-peers.ts'
import { pageOf, waitingPage } from './slow-site.ts'
import { untilQuiet } from './until-quiet.ts'

/**
 * The page loads of one visit. `first`: nothing of the site was ever on the device. `inserted`: a script inserts what
 * another page would have, and whoever can be connected to is. `navigation`: the worker is there, connections begin anew.
 */
export const loadKinds = ['first', 'inserted', 'navigation'] as const
export type LoadKind = (typeof loadKinds)[number]
/** Milliseconds of each. */
export type Visit = Readonly<Record<LoadKind, number>>

declare global {
  // oxlint-disable-next-line no-var
  var insertSet: (set: number) => Promise<number>
}

const connectLimitMs = 5000
const quietMs = 150
const loadLimitMs = 60_000

/** A visitor whom the site never saw, at a site with us. @param run whose assets nobody else asks for */
export async function visitWithUs(
  browser: Browser,
  site: DistantSite,
  lines: PeerLines,
  peers: Peers,
  run: number,
): Promise<Visit> {
  const context = await browser.newContext()
  try {
    await lines.attach(context, { shape: undefined })
    const page = await context.newPage()
    // Bad from the first moment, where a visitor does not have to be connected to them to suffer.
    peers.turnBad()
    const first = await load(page, site, run, 'first')
    peers.turnBack()
    await page.goto(site.url + waitingPage)
    await untilControlled(page)
    if (peers.count > 0) await untilNeighbours(page, peers.count, connectLimitMs)
    await untilQuiet(site.link, quietMs)
    peers.turnBad()
    const inserted = await insert(page, site, run)
    const navigation = await load(page, site, run, 'navigation')
    return { first, inserted, navigation }
  } finally {
    await context.close()
    peers.turnBack()
  }
}

/** The same visit without us. */
export async function visitWithoutUs(browser: Browser, site: DistantSite, run: number): Promise<Visit> {
  const context: BrowserContext = await browser.newContext()
  try {
    const page = await context.newPage()
    const first = await load(page, site, run, 'first')
    await page.goto(site.url + waitingPage)
    const inserted = await insert(page, site, run)
    return { first, inserted, navigation: await load(page, site, run, 'navigation') }
  } finally {
    await context.close()
  }
}

async function load(page: Page, site: DistantSite, run: number, kind: LoadKind): Promise<number> {
  await page.goto(site.url + pageOf(setOf(run, kind)), { waitUntil: 'load', timeout: loadLimitMs })
  const loadMs = await page.evaluate(async () => {
    // The event's own listeners still run in its task.
    await new Promise((resolve) => setTimeout(resolve, 0))
    const [navigation] = performance.getEntriesByType('navigation')
    return (navigation as PerformanceNavigationTiming).loadEventStart
  })
  await untilQuiet(site.link, quietMs)
  return loadMs
}

async function insert(page: Page, site: DistantSite, run: number): Promise<number> {
  const insertedMs = await page.evaluate((set) => insertSet(set), setOf(run, 'inserted'))
  await untilQuiet(site.link, quietMs)
  return insertedMs
}

function setOf(run: number, kind: LoadKind): number {
  return run * loadKinds.length + loadKinds.indexOf(kind)
}
