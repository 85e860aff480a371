import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { sitePage } from './harness/site-page.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor, Visitor } from './harness/visitor.ts'

const scene = useScene()
const join = '/.well-known/nearhand/join'
const large = '/images/large.png'

test('disable() ends everything of ours on this device', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  await visitor.page.evaluate(() => nearhand.disable())
  expect(await visitor.registrations()).toBe(0)
  await visitor.goto('/')
  expect(await visitor.isAnsweredByWorker(large)).toBe(false)
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(await visitor.registrations(), 'it stays off').toBe(0)
})

test('?nearhand=off ends everything of ours on this device', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  await visitor.goto('/?nearhand=off')
  await expect.poll(() => visitor.registrations()).toBe(0)
  await visitor.goto('/')
  expect(await visitor.isAnsweredByWorker(large)).toBe(false)
})

test('no RTCPeerConnection exists before consent, and one does after it', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const seeders = site.count.requests(join)
  const visitor = await openVisitor(scene, site, {
    path: '/ask.html',
    initScript: () => {
      Object.assign(globalThis, { connectionsMade: 0 })
      globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
        construct(target, args) {
          Object.assign(globalThis, { connectionsMade: Number(Reflect.get(globalThis, 'connectionsMade')) + 1 })
          return Reflect.construct(target, args)
        },
      })
    },
  })
  const made = (): Promise<unknown> => visitor.page.evaluate(() => Reflect.get(globalThis, 'connectionsMade'))
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(await made()).toBe(0)
  expect(site.count.requests(join)).toBe(seeders)
  expect(site.count.requests('/nearhand-peers.js')).toBe(1)
  await visitor.page.evaluate(() => nearhand.consent(true))
  await visitor.connected()
  expect(await made()).toBeGreaterThan(0)
})

test.each(['free', 'full'])(
  'consent(false) closes the socket and every connection at once, its storage %s',
  async (room) => {
    const site = await openSite(scene)
    await openSeeder(scene, site, [large])
    const visitor = await openVisitor(scene, site, {
      path: '/empty.html',
      isControlled: false,
      initScript: collectConnections,
    })
    const sockets: { isClosed(): boolean }[] = []
    visitor.page.on('websocket', (socket) => sockets.push(socket))
    await visitor.goto('/')
    await visitor.connected()
    if (room === 'full') await visitor.page.evaluate(fillStorage)
    await visitor.page.evaluate(() => nearhand.consent(false))
    expect(await visitor.page.evaluate(connectionStates)).not.toContain('connected')
    await expect.poll(() => sockets.map((socket) => socket.isClosed())).not.toContain(false)
    expect(sockets.length).toBeGreaterThan(0)
    await visitor.page.reload()
    await visitor.untilControlled()
    await visitor.untilAnswering()
    expect(await visitor.page.evaluate(connectionStates), 'nor on the next page').toEqual([])
  },
)

test('disable() holds when the browser restarts the worker, and enable() has it answer again', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  await visitor.page.evaluate(() => nearhand.disable())
  await visitor.stopServiceWorkers()
  // The first request after its start it passes on itself, while it looks whether it is off.
  await expect.poll(() => visitor.isAnsweredByWorker(large)).toBe(false)
  await visitor.page.evaluate(() => nearhand.enable())
  await visitor.page.waitForFunction(() => nearhand.state === 'active')
  await visitor.untilAnswering()
  expect(await visitor.isAnsweredByWorker(large)).toBe(true)
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
})

test('disable() and enable() hold for the other tabs of the site', async () => {
  const site = await openSite(scene)
  const one = await openSeeder(scene, site, [large])
  const other = new Visitor({ ...one.browser, page: await one.browser.context.newPage() }, site)
  await other.goto('/')
  await other.untilControlled()
  await one.page.evaluate(() => nearhand.disable())
  await other.page.waitForFunction(() => nearhand.state === 'off')
  await other.page.evaluate(() => nearhand.enable())
  for (const { page } of [one, other]) await page.waitForFunction(() => nearhand.state === 'active')
  await one.untilAnswering()
  expect([await one.isAnsweredByWorker(large), await other.isAnsweredByWorker(large)]).toEqual([true, true])
})

test('what a visitor gave to others counts for all pages of the day', async () => {
  const site = await openSite(scene)
  const seeder = await openSeeder(scene, site, [large])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  await visitor.untilAnswering()
  site.hold([large])
  await visitor.load(large)
  const given = (): Promise<number> => seeder.stats().then(({ uploadedBytes }) => uploadedBytes)
  await expect.poll(given).toBeGreaterThan(0)
  const before = await given()
  await seeder.page.reload()
  expect(await given()).toBeGreaterThanOrEqual(before)
})

test.each([
  ['an element of its name', '<script id="nearhand" src="/nearhand.js" data-consent="granted"></script>', 'active'],
  ['a wrong attribute', '<script src="/nearhand.js" data-consent="yes"></script>', 'unsupported'],
  ['a place outside of its base', '<script src="/nearhand.js" data-base="/shop/"></script>', 'unsupported'],
  ['type=module', '<script src="/nearhand.js" type="module"></script>', undefined],
])('the tag with %s leaves a page that works and says what is wrong', async (_, tag, state) => {
  const site = await openSite(scene)
  site.answer('/tag.html', () => new Response(sitePage(tag), { headers: { 'content-type': 'text/html' } }))
  const visitor = await openVisitor(scene, site, { path: '/empty.html', isControlled: false })
  const [said, errors]: [string[], string[]] = [[], []]
  visitor.page.on('console', (message) => said.push(message.type()))
  visitor.page.on('pageerror', (error) => errors.push(error.message))
  await visitor.goto('/tag.html')
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  await expect.poll(() => visitor.page.evaluate(() => Reflect.get(globalThis, 'nearhand')?.state)).toBe(state)
  if (state !== undefined) await visitor.page.evaluate(() => nearhand.consent(true))
  expect(errors).toEqual([])
  if (state !== 'active' && !tag.includes('base')) expect(said).toContain('warning')
})

test('the service worker goes on answering where the file of the dedicated worker is gone', async () => {
  const site = await openSite(scene)
  site.answer('/nearhand-worker.js', () => new Response('gone', { status: 404 }))
  const visitor = await openVisitor(scene, site, { path: '/empty.html', isControlled: false })
  const failed = visitor.page.waitForEvent('console', (message) => message.text().includes('without peers'))
  await visitor.goto('/')
  await failed
  await visitor.untilAnswering()
  expect(await visitor.isAnsweredByWorker(large)).toBe(true)
  expect(await visitor.page.evaluate(() => nearhand.state)).toBe('active')
})

test('the page goes on without peers where their file is gone, and finds them when it is back', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const script = await (await fetch(`${site.url}/nearhand-peers.js`)).text()
  let file = new Response('gone', { status: 404 })
  site.answer('/nearhand-peers.js', () => file.clone())
  const visitor = await openVisitor(scene, site, { path: '/empty.html', isControlled: false })
  const failed = visitor.page.waitForEvent('console', (message) => message.text().includes('without peers'))
  await visitor.goto('/')
  await failed
  await visitor.untilAnswering()
  expect(await visitor.isAnsweredByWorker(large)).toBe(true)
  expect(await visitor.page.evaluate(() => nearhand.state)).toBe('active')
  file = new Response(script, { headers: { 'content-type': 'text/javascript' } })
  await visitor.connected()
})

test.each([1, 2])(
  'the service worker goes on answering where the page makes no connection from no. %i on',
  async (first) => {
    const site = await openSite(scene)
    await openSeeder(scene, site, [large])
    const visitor = await openVisitor(scene, site, {
      path: `/?${first}`,
      initScript: () => {
        const first = Number(location.search.slice(1))
        let made = 0
        globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
          construct(target, args) {
            made += 1
            Object.assign(globalThis, { made })
            if (made >= first) throw new DOMException('too many', 'UnknownError')
            return Reflect.construct(target, args)
          },
        })
      },
    })
    await visitor.page.waitForFunction(() => Reflect.get(globalThis, 'made') > 1)
    await visitor.untilAnswering()
    expect(await visitor.isAnsweredByWorker(large)).toBe(true)
    expect(await visitor.page.evaluate(() => nearhand.state)).toBe('active')
  },
)

/** In a page: from now on every connection is kept, so that a test can ask for its state. */
function collectConnections(): void {
  const connections: RTCPeerConnection[] = []
  Object.assign(globalThis, { connections })
  globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
    construct(target, args) {
      const connection: RTCPeerConnection = Reflect.construct(target, args)
      connections.push(connection)
      return connection
    },
  })
}

function connectionStates(): string[] {
  const connections: RTCPeerConnection[] = Reflect.get(globalThis, 'connections')
  return connections.map(({ connectionState }) => connectionState)
}

/** Until localStorage takes not even one character more. */
function fillStorage(): void {
  for (let size = 1_000_000; size >= 1; size = Math.floor(size / 2)) {
    try {
      for (let at = 0; ; at += 1) localStorage.setItem(`${size} ${at}`, 'x'.repeat(size))
    } catch {
      // Smaller pieces may still fit.
    }
  }
}
