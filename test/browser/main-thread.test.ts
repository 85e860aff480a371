import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

declare global {
  // oxlint-disable-next-line no-var
  var thread: {
    /** Messages that the page had from the threads that work for it, and data channels that are listened to in it. */
    readonly heard: { messages: number; channels: number }
    /** Keeps the page's thread busy for 500 of every 600 ms. */
    block(): void
    /** Reads an asset in a worker of its own; gives the SHA-256. */
    readAside(path: string): Promise<string>
  }
}

const scene = useScene()
const spans = '/files/spans.bin'

const initScript = (): void => {
  const heard = { messages: 0, channels: 0 }
  globalThis.Worker = class extends Worker {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options)
      this.addEventListener('message', () => (heard.messages += 1))
    }
  }
  const listen: unknown = Reflect.get(EventTarget.prototype, 'addEventListener')
  RTCDataChannel.prototype.addEventListener = function (this: EventTarget, ...rest: unknown[]) {
    heard.channels += 1
    if (typeof listen === 'function') Reflect.apply(listen, this, rest)
  }
  const aside = `onmessage = async ({ data: path }) => {
    const digest = await crypto.subtle.digest('SHA-256', await (await fetch(path)).arrayBuffer())
    postMessage([...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join(''))
  }`
  globalThis.thread = {
    heard,
    block() {
      setInterval(() => {
        const end = performance.now() + 500
        while (performance.now() < end);
      }, 600)
    },
    readAside(path) {
      const worker = new Worker(URL.createObjectURL(new Blob([aside])))
      return new Promise((resolve) => {
        worker.addEventListener('message', ({ data }) => resolve(String(data)))
        worker.postMessage(new URL(path, location.href).href)
      })
    },
  }
}

test('a transfer does not pass through the thread of a page, on either side', async () => {
  const site = await openSite(scene)
  const seeder = await openSeeder(scene, site, [spans])
  const visitor = await openVisitor(scene, site, { initScript })
  await visitor.connected()
  const before = await visitor.page.evaluate(() => thread.heard.messages)
  expect((await visitor.load(spans)).sha256).toBe(sha256Of(site.asset(spans)))
  const { messages, channels } = await visitor.page.evaluate(() => thread.heard)
  const [stats, given] = [await visitor.stats(), await seeder.stats()]
  expect(stats.bytes.peers).toBeGreaterThan(site.asset(spans).length / 2)
  expect(given.peers.length).toBe(1)
  expect(channels).toBe(0)
  // 144 chunks came. What the page hears is how its peers are doing, twice a second.
  expect(messages - before).toBeLessThan(72)
})

test('a transfer goes on while the pages on both sides are blocked for 500 of every 600 ms', async () => {
  const site = await openSite(scene)
  const seeder = await openSeeder(scene, site, [spans])
  const visitor = await openVisitor(scene, site, { initScript })
  await visitor.connected()
  await visitor.page.evaluate(() => thread.block())
  await seeder.page.evaluate(() => {
    setInterval(() => {
      const end = performance.now() + 500
      while (performance.now() < end);
    }, 600)
  })
  site.count.reset()
  expect(await visitor.page.evaluate((path) => thread.readAside(path), spans)).toBe(sha256Of(site.asset(spans)))
  expect(site.count.bytes(spans)).toBeLessThan(site.asset(spans).length / 2)
})
