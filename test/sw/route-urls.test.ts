import { describe, expect, test } from 'vitest'
import type { UrlRules } from '../../protocol/url-rules.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { passFor, passNow } from '../protocol/passes.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite } from './made-site.ts'
import type { MadeWorker } from './made-worker.ts'
import { makeWorker } from './made-worker.ts'
import { all, expectBody, give, image, linked, readyWorker } from './route-scene.ts'

const media = 'https://media.test'
const urls: UrlRules = {
  ignoredQuery: [{ paths: '/**', names: ['token'] }],
  hosts: [
    { host: media, from: '/there/', to: '/' },
    { host: 'https://second.test', from: '/', to: '/' },
  ],
}
const tokenised = '/image.jpg?token=mine'
const there = `${media}/there/image.jpg`

async function openSite(fields: object = { urls }): Promise<MadeSite> {
  const site = await makeSite()
  await site.deploy(all, fields)
  site.intercept = (path) => (path === '/there/image.jpg' ? new Response(image.content.slice()) : undefined)
  return site
}

const assetUrls = (site: MadeSite): readonly string[] => site.urls.filter((url) => !url.includes('.well-known'))

describe('Route.answer() of a URL with a query', () => {
  test('asks the origin with the whole URL, and keeps the asset for every token', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    await expectBody(await worker.ask(tokenised, '/image.jpg'), image)
    expect(assetUrls(site)).toEqual(['http://site.test/image.jpg?token=mine'])
    await worker.store.settled()
    await expectBody(await worker.ask('/image.jpg?token=another', '/image.jpg'), image)
    await expectBody(await worker.get('/image.jpg'), image)
    expect(assetUrls(site)).toHaveLength(1)
  })

  test('has the bytes from peers whatever the token', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    linked(worker, (message) => give(image, message))
    await expectBody(await worker.ask(tokenised, '/image.jpg'), image)
    expect(assetUrls(site)).toEqual([])
  })

  test.each([
    ['says nothing of URLs', {}],
    ['says another parameter', { urls: { ...urls, ignoredQuery: [{ paths: '/**', names: ['sig'] }] } }],
    ['says it of other paths', { urls: { ...urls, ignoredQuery: [{ paths: '/film*', names: ['token'] }] } }],
  ])('leaves it to the network where the signed head %s', async (_, fields) => {
    const site = await openSite(fields)
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => give(image, message))
    await expectBody(await worker.ask(tokenised, '/image.jpg'), image)
    await worker.store.settled()
    expect(assetUrls(site)).toEqual(['http://site.test/image.jpg?token=mine'])
    expect(exchange.asked('read')).toEqual([])
    expect(worker.disk.rows.size).toBe(0)
  })
})

describe('Route.answer() of a URL on another host', () => {
  test('asks that host, without credentials, and keeps one copy for all hosts', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    await expectBody(await worker.ask(there, '/image.jpg'), image)
    expect(assetUrls(site)).toEqual([there])
    await worker.store.settled()
    await expectBody(await worker.ask('https://second.test/image.jpg', '/image.jpg'), image)
    await expectBody(await worker.get('/image.jpg'), image)
    expect(assetUrls(site)).toHaveLength(1)
    expect(worker.disk.rows.size).toBe(1)
  })

  test.each([
    ['says nothing of it', {}],
    ['says another folder of it', { urls: { ...urls, hosts: [{ host: media, from: '/', to: '/' }] } }],
    ['says that it is another path', { urls: { ...urls, hosts: [{ host: media, from: '/there/', to: '/a/' }] } }],
  ])('leaves it to the network where the signed head %s', async (_, fields) => {
    const site = await openSite(fields)
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => give(image, message))
    await expectBody(await worker.ask(there, '/image.jpg'), image)
    expect(exchange.asked('find')).toEqual([])
    expect(assetUrls(site)).toEqual([there])
  })

  test('gives the plain answer where the host cannot be read, and leaves it alone from then on', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    await worker.hosts.check(there)
    expect(worker.hosts.isOpen(media)).toBe(true)
    const serve = site.intercept
    let asked = 0
    site.intercept = (path, signal) => {
      if (!path.startsWith('/there/')) return serve(path, signal)
      asked += 1
      // Ours fails, the page's own does not.
      return asked === 1 ? Promise.reject(new TypeError('Failed to fetch')) : new Response('plain')
    }
    expect(await (await worker.ask(there, '/image.jpg')).text()).toBe('plain')
    expect(worker.hosts.isOpen(media)).toBe(false)
  })

  test('waits for no liars where the host cannot be read: the page itself may have it (CORS)', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => {
      if (message.type === 'find') return { type: 'found', request: message.request, holders: 1 }
      if (message.type !== 'read') return undefined
      return message.index < 0 ? give(image, message) : { type: 'miss', request: message.request, reason: 'refused' }
    })
    const serve = site.intercept
    let asked = 0
    site.intercept = (path, signal) => {
      if (!path.startsWith('/there/')) return serve(path, signal)
      asked += 1
      return asked === 1 ? Promise.reject(new TypeError('Failed to fetch')) : new Response('plain')
    }
    expect(await (await worker.ask(there, '/image.jpg')).text()).toBe('plain')
    const tries = exchange.asked('read').filter((message) => message.type === 'read' && message.index === 0)
    expect(tries.length).toBeLessThanOrEqual(2)
  })

  test('leaves a host alone that sends the page elsewhere', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    await worker.hosts.check(there)
    const redirect = Object.defineProperty(new Response(null, { status: 299 }), 'type', { value: 'opaqueredirect' })
    let asked = 0
    site.intercept = (path) => {
      if (!path.startsWith('/there/')) return undefined
      asked += 1
      return asked === 1 ? redirect : new Response('followed')
    }
    expect(await (await worker.ask(there, '/image.jpg')).text()).toBe('followed')
    expect(worker.hosts.isOpen(media)).toBe(false)
  })

  test('keeps out of what the host forbids to share', async () => {
    const site = await openSite()
    const worker = await readyWorker(site)
    const headers = { 'cache-control': 'private' }
    site.intercept = (path) =>
      path.startsWith('/there/') ? new Response(image.content.slice(), { headers }) : undefined
    await expectBody(await worker.ask(there, '/image.jpg'), image)
    await worker.store.settled()
    expect(worker.disk.rows.size).toBe(0)
  })
})

describe('Route.answer() of a guarded asset', () => {
  const guarded = { guarded: ['/'], urls }
  const passOf = (...scp: string[]): string => passFor('ab'.repeat(32), { aud: 'a'.repeat(32), scp })

  async function openWorker(site: MadeSite, pass: string | undefined, disk?: MemoryDisk) {
    const worker: MadeWorker = makeWorker(site, disk)
    expect(site.seconds).toBe(passNow)
    await worker.manifests.onNavigation()
    const exchange = linked(worker, (message) => give(image, message))
    await worker.manifests.tellRule()
    if (pass !== undefined) exchange.say({ type: 'pass', pass })
    return { worker, exchange }
  }

  test('gives it from peers and keeps it where the pass names its section', async () => {
    const site = await openSite(guarded)
    const { worker } = await openWorker(site, passOf('/'))
    await expectBody(await worker.ask(tokenised, '/image.jpg'), image)
    await worker.store.settled()
    expect(assetUrls(site)).toEqual([])
    expect(worker.disk.rows.size).toBe(1)
  })

  test.each([
    ['without a pass', undefined],
    ['with a pass of other sections', passOf('/members/')],
    ['with a pass that nobody signed', `${passOf('/').slice(0, -4)}AAAA`],
  ])('gives the origin’s own answer %s, though the store and peers have it', async (_, pass) => {
    const site = await openSite(guarded)
    const disk = new MemoryDisk()
    const first = await openWorker(site, passOf('/'), disk)
    await expectBody(await first.worker.get('/image.jpg'), image)
    await first.worker.store.settled()
    expect(disk.rows.size).toBe(1)

    const { worker, exchange } = await openWorker(site, pass, disk)
    site.intercept = (path) => (path === '/image.jpg' ? new Response('no', { status: 403 }) : undefined)
    const response = await worker.ask(tokenised, '/image.jpg')
    expect([response.status, await response.text()]).toEqual([403, 'no'])
    expect(assetUrls(site)).toEqual(['http://site.test/image.jpg?token=mine'])
    expect([exchange.asked('find'), exchange.asked('read')]).toEqual([[], []])
  })

  test('is not given from the store while the network is gone, unless the pass names its section', async () => {
    const site = await openSite(guarded)
    const disk = new MemoryDisk()
    const { worker, exchange } = await openWorker(site, passOf('/'), disk)
    await expectBody(await worker.get('/image.jpg'), image)
    await worker.store.settled()
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await expectBody(await worker.get('/image.jpg'), image)
    exchange.say({ type: 'pass', pass: passOf('/members/') })
    await expect(worker.get('/image.jpg')).rejects.toThrow('Failed to fetch')
  })
})
