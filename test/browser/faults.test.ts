import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import type { Visitor } from './harness/visitor.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()

const large = '/images/large.png'
const spans = '/files/spans.bin'
const fresh = '/.well-known/nearhand/fresh.json'

test('the seeding browser is killed mid transfer: the page has every byte', async () => {
  const site = await openSite(scene)
  const seeder = await openSeeder(scene, site, [spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  const letGo = site.hold([spans])
  // A reader that waits holds the transfer: more than is read ahead is not asked for.
  await visitor.page.evaluate(async (path) => {
    const reader = (await fetch(path)).body?.getReader()
    const first = (await reader?.read())?.value
    Object.assign(globalThis, { reader, first })
  }, spans)
  await visitor.untilChunks(spans, 3)
  await seeder.browser.kill()
  letGo()
  const sha256 = await visitor.page.evaluate(async () => {
    const { reader, first } = globalThis as unknown as {
      reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>
      first: Uint8Array<ArrayBuffer>
    }
    const pieces = [first]
    for (let next = await reader.read(); !next.done; next = await reader.read()) pieces.push(next.value)
    return globalThis.site.sha256(await new Blob(pieces).arrayBuffer())
  })
  expect(sha256).toBe(sha256Of(site.asset(spans)))
  const sources = new Set((await visitor.chunks(spans)).map(({ source }) => source))
  expect(sources).toEqual(new Set(['peer', 'origin']))
})

test('the origin is stopped: the page has what a neighbour holds', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large, spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  await site.stop()
  for (const path of [large, spans]) await expectRight(site, visitor, path)
})

test('the origin is stopped: a site that stores pages still opens', async () => {
  const site = await openSite(scene, { offlinePages: true, patterns: ['/**'] })
  const visitor = await openSeeder(scene, site, [large])
  // Only a page that came through the worker can be stored.
  await visitor.goto('/')
  await visitor.untilStored(['/index.html'])
  await site.stop()
  await visitor.goto('/')
  expect(await visitor.page.title()).toBe('Test site')
  await expectRight(site, visitor, large)
})

test('the origin comes back after a stop: new visitors meet again', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  await site.stop()
  await site.start()
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.count.reset()
  site.hold([large])
  await expectRight(site, visitor, large)
  expect(site.count.bytes(large)).toBe(0)
})

test('the tracker is down: the origin serves', async () => {
  const site = await openSite(scene, { tracker: false })
  await openSeeder(scene, site, [large])
  const visitor = await openVisitor(scene, site)
  await expectOrigin(site, visitor, large)
})

test('the worker is stopped between requests: the next answer is right and still from a neighbour', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large, spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.hold([large, spans])
  await expectRight(site, visitor, large)
  await visitor.stopServiceWorkers()
  site.count.reset()
  await expectRight(site, visitor, spans)
  await expectRight(site, visitor, large)
  expect(site.count.bytes(large)).toBe(0)
  expect(site.count.bytes(spans)).toBe(0)
})

test('the worker is stopped mid stream: that response breaks, the next one is right', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  // A reader that waits holds the stream open: nothing more is pulled while the worker is stopped.
  await visitor.page.evaluate(async (path) => {
    const response = await fetch(path)
    const reader = response.body?.getReader()
    await reader?.read()
    Object.assign(globalThis, { reader })
  }, spans)
  await visitor.stopServiceWorkers()
  const end = await visitor.page.evaluate(async () => {
    const { reader } = globalThis as unknown as { reader: ReadableStreamDefaultReader<Uint8Array> }
    try {
      for (;;) if ((await reader.read()).done) return 'complete'
    } catch (error) {
      return error instanceof TypeError ? 'broken' : String(error)
    }
  })
  expect(end).toBe('broken')
  await expectRight(site, visitor, spans)
})

test.each<[string, (site: Site) => Promise<Response>]>([
  ['forged', async (site) => json(forge(await site.signFresh(new Date(), 120)))],
  ['expired', async (site) => json(await site.signFresh(new Date(Date.now() - 86_400_000), 120))],
  ['absent', () => Promise.resolve(new Response('gone', { status: 404 }))],
])('the manifest is %s: plain fetch, no peer', async (_, answer) => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  site.answer(fresh, () => answer(site))
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.count.reset()
  await expectRight(site, visitor, large)
  expect(site.count.bytes(large)).toBe(site.asset(large).length)
  // Nor was it kept: what nobody vouches for is asked for again.
  await expectRight(site, visitor, large)
  expect(await visitor.chunks(large)).toEqual([])
  expect((await visitor.stats()).bytes).toEqual({ store: 0, peers: 0, origin: 0 })
})

test('the manifest is the origin’s own: the same visit has its bytes from a peer', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  site.answer(fresh, async () => json(await site.signFresh(new Date(), 120)))
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.hold([large])
  await expectRight(site, visitor, large)
  expect((await visitor.stats()).bytes.peers).toBe(site.asset(large).length)
})

test('the store is full: everything arrives all the same, from neighbours too', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large, spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  await visitor.limitStorage(600 * 1024)
  site.count.reset()
  site.hold([large, spans])
  for (const path of [spans, large, spans, large]) await expectRight(site, visitor, path)
  expect((await visitor.chunks(large)).map(({ source }) => source)).toEqual(Array(64).fill('peer'))
  expect(site.count.bytes(spans)).toBe(0)
  expect(site.count.bytes(large)).toBe(0)
})

test('a browser without WebRTC: the origin serves', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const visitor = await openVisitor(scene, site, {
    initScript: () => {
      for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel']) {
        Reflect.deleteProperty(globalThis, name)
      }
    },
  })
  await expectOrigin(site, visitor, large)
})

const scripts = ['-sw', '-worker', '-peers', ''].map((name) => `/nearhand${name}.js`)

test.each(scripts)('%s throws: the page loads', async (script) => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const broken = `throw new Error('broken on purpose')`
  site.answer(script, () => new Response(broken, { headers: { 'content-type': 'text/javascript' } }))
  const visitor = await openVisitor(scene, site, { isControlled: false })
  await expectRight(site, visitor, large)
})

test('a deploy of a worker that is no script: those who have the last one keep it, and the page loads', async () => {
  const site = await openSite(scene)
  const before = await openSeeder(scene, site, [large])
  site.answer('/nearhand-sw.js', () => new Response('}{', { headers: { 'content-type': 'text/javascript' } }))
  const visitor = await openVisitor(scene, site, { isControlled: false })
  await expectRight(site, visitor, large)
  expect(await visitor.registrations()).toBe(0)
  const update = await before.page.evaluate(async () => {
    const registration = await navigator.serviceWorker.getRegistration()
    return registration?.update().then(String, (error: unknown) => String(error))
  })
  expect(update).toContain('Failed to update')
  await before.goto('/')
  await expectRight(site, before, large)
})

test('everything that the service worker needs throws: the page loads', async () => {
  const site = await openSite(scene)
  const script = await (await fetch(`${site.url}/nearhand-sw.js`)).text()
  const needed = ['CacheStorage.prototype.open', 'IDBFactory.prototype.open', 'SubtleCrypto.prototype.digest']
  const sabotage = needed.map((name) => `${name} = () => { throw new Error('broken on purpose') };`).join('')
  site.answer(
    '/nearhand-sw.js',
    () => new Response(sabotage + script, { headers: { 'content-type': 'text/javascript' } }),
  )
  const visitor = await openVisitor(scene, site)
  for (const path of [large, spans]) await expectRight(site, visitor, path)
  const { requests, fallbacks } = await visitor.stats()
  expect([requests, fallbacks]).toEqual([2, 2])
})

async function expectRight(site: Site, visitor: Visitor, path: string): Promise<void> {
  const loaded = await visitor.load(path)
  expect([loaded.status, loaded.sha256], path).toEqual([200, sha256Of(site.asset(path))])
}

async function expectOrigin(site: Site, visitor: Visitor, path: string): Promise<void> {
  site.count.reset()
  await expectRight(site, visitor, path)
  expect(site.count.bytes(path)).toBe(site.asset(path).length)
}

function json(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

/** One character of the signature is another. */
function forge(envelope: string): string {
  return envelope.replace(/"sig":"(.)/, (_, first) => `"sig":"${first === 'A' ? 'B' : 'A'}`)
}
