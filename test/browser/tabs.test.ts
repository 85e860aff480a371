import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import type { Visitor } from './harness/visitor.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

declare global {
  // oxlint-disable-next-line no-var
  var tab: { show(isVisible: boolean): void; connections(): number; read(path: string): Promise<Reading> }
}

interface Reading {
  readonly size: number
  readonly sha256: string
  /** The longest wait for the next bytes, in milliseconds. */
  readonly longestGapMs: number
}

const scene = useScene()
const large = '/images/large.png'
const spans = '/files/spans.bin'

/** Counts the tab's connections, lets a test say whether the tab is seen, and reads with a watch in hand. */
const initScript = (): void => {
  let isVisible = true
  const open = new Set<RTCPeerConnection>()
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      open.add(this)
    }
  }
  Object.defineProperty(document, 'visibilityState', { get: () => (isVisible ? 'visible' : 'hidden') })
  globalThis.tab = {
    show(isSeen) {
      isVisible = isSeen
      document.dispatchEvent(new Event('visibilitychange'))
    },
    connections: () => [...open].filter(({ connectionState }) => connectionState === 'connected').length,
    async read(path) {
      const reader = (await fetch(path)).body?.getReader()
      const pieces: Uint8Array<ArrayBuffer>[] = []
      let longestGapMs = 0
      for (let lastAt = performance.now(); ; lastAt = performance.now()) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined }
        longestGapMs = Math.max(longestGapMs, performance.now() - lastAt)
        if (done || value === undefined) break
        pieces.push(value)
      }
      const bytes = await new Blob(pieces).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
      const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
      return { size: bytes.byteLength, sha256, longestGapMs }
    },
  }
}

/** A visitor with two tabs: the first one holds the connections. */
async function openTabs(site: Site): Promise<{ leader: Visitor; other: Visitor }> {
  const leader = await openVisitor(scene, site, { initScript })
  await leader.connected()
  const other = await leader.openTab()
  await other.connected()
  expect([await connectionsOf(leader), await connectionsOf(other)]).toEqual([1, 0])
  return { leader, other }
}

function connectionsOf({ page }: Visitor): Promise<number> {
  return page.evaluate(() => tab.connections())
}

async function untilLeading({ page }: Visitor): Promise<void> {
  await page.waitForFunction(() => tab.connections() > 0)
}

async function expectFromPeers(site: Site, visitor: Visitor, path: string): Promise<void> {
  site.count.reset()
  const letGo = site.hold([path])
  expect((await visitor.load(path)).sha256).toBe(sha256Of(site.asset(path)))
  expect(site.count.bytes(path)).toBe(0)
  letGo()
}

test('the tab with the connections is closed: the other tab has its bytes from the same neighbour', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const { leader, other } = await openTabs(site)
  await leader.page.close()
  await untilLeading(other)
  await other.connected()
  await expectFromPeers(site, other, large)
})

test('the tab with the connections crashes: what another tab was reading goes on', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [spans, large])
  const { leader: first, other: crashing } = await openTabs(site)
  // The browser runs the worker in the process of the first tab, and with the worker its open responses would break.
  await first.page.evaluate(() => tab.show(false))
  await untilLeading(crashing)
  await first.page.evaluate(() => tab.show(true))
  await first.connected()
  const reading = first.page.evaluate((path) => tab.read(path), spans)
  await first.untilChunks(spans, 8)
  const session = await crashing.browser.context.newCDPSession(crashing.page)
  session.send('Page.crash').catch(() => {}) // nobody is left to answer
  const { sha256, longestGapMs } = await reading
  expect(sha256).toBe(sha256Of(site.asset(spans)))
  expect(longestGapMs, 'liveness, not speed').toBeLessThan(5000)
  await untilLeading(first)
  await first.connected()
  await expectFromPeers(site, first, large)
})

test('the visitor stays in another tab: it holds the connections, and what it was reading goes on', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [spans, large])
  const { leader, other } = await openTabs(site)
  await leader.page.evaluate(() => tab.show(false))
  await untilLeading(other)
  await leader.page.waitForFunction(() => tab.connections() === 0)
  await other.connected()
  const reading = other.page.evaluate((path) => tab.read(path), spans)
  await other.untilChunks(spans, 8)
  await other.page.evaluate(() => tab.show(false))
  await leader.page.evaluate(() => tab.show(true))
  expect((await reading).sha256).toBe(sha256Of(site.asset(spans)))
  await untilLeading(leader)
  await leader.connected()
  await expectFromPeers(site, leader, large)
})

test('the visible tab goes to the next page: it holds the connections again, not the hidden one', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const { leader, other } = await openTabs(site)
  await other.page.evaluate(() => tab.show(false))
  await leader.goto('/?next')
  await leader.connected()
  expect([await connectionsOf(leader), await connectionsOf(other)]).toEqual([1, 0])
  await expectFromPeers(site, leader, large)
})
