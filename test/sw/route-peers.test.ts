import { describe, expect, test } from 'vitest'
import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import { listIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { until } from '../fakes/clock.ts'
import { chunkBytes } from './made-asset.ts'
import { peer, image, icon, film, liveSite, expectBody, give, linked, readyWorker } from './route-scene.ts'

describe('Route.answer() from peers', () => {
  test('takes an asset from peers alone, list and all', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    linked(worker, (message) => give(film, message))
    await expectBody(await worker.get('/film.mp4'), film)
    expect(site.assetRequests).toEqual([])
    expect((await worker.traffic.totals()).bytes).toEqual({ store: 0, peers: film.content.length, origin: 0 })
    expect(new Set(worker.told.traffic.flatMap((told) => told.chunks.map((chunk) => chunk.peer)))).toEqual(
      new Set([peer]),
    )
  })

  test('does not ask peers for what is smaller than a unit', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => give(icon, message))
    await expectBody(await worker.get('/icon.png'), icon)
    expect([...exchange.asked('find'), ...exchange.asked('read')]).toEqual([])
  })

  // One bad answer each; the rest is honest. The page must get the content in every case.
  test.each<[string, (message: Extract<WorkerToExchange, { type: 'read' }>) => ExchangeToWorker]>([
    ['a flipped bit', (message) => altered(message, (bytes) => bytes.fill((bytes[99] ?? 0) ^ 1, 99, 100))],
    [
      'another chunk',
      (message) => altered({ ...message, index: message.index === 2 ? 3 : 2 }, (bytes) => bytes, message),
    ],
    ['a truncated chunk', (message) => altered(message, (bytes) => bytes.slice(0, -1))],
    ['an over-long chunk', (message) => altered(message, (bytes) => new Uint8Array([...bytes, 0]))],
    ['an empty chunk', (message) => altered(message, () => new Uint8Array(0))],
    ['the list in place of a chunk', (message) => altered(message, () => image.list.slice())],
  ])('refuses %s, blames its sender and goes on with the origin', async (_name, lie) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read' && message.index === 4 ? lie(message) : give(image, message),
    )
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('blame')).toEqual([{ type: 'blame', request: expect.any(Number), peer }])
    expect(site.assetRequests).toEqual([{ path: '/image.jpg', range: `bytes=${4 * 65_536}-${5 * 65_536 - 1}` }])
    expect(await worker.traffic.totals()).toMatchObject({ badChunks: 1, fallbacks: 0 })
  })

  test('refuses a chunk of the wrong asset in place of the list', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read' && message.index === listIndex
        ? { type: 'chunk', request: message.request, peer, bytes: new Uint8Array(message.length).buffer }
        : give(image, message),
    )
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('blame')).toHaveLength(1)
  })

  test('stops asking peers that miss again and again', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read' && message.index !== listIndex
        ? { type: 'miss', request: message.request, reason: 'late' }
        : give(film, message),
    )
    await expectBody(await worker.get('/film.mp4'), film)
    expect(exchange.asked('read').length).toBeLessThan(20)
    expect(site.assetRequests.length).toBeLessThan(12)
  })

  test('asks the origin where peers say nothing, lets them go, and soon asks them no more', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'find' || (message.type === 'read' && message.index === listIndex)
        ? give(film, message)
        : undefined,
    )
    await expectBody(await worker.get('/film.mp4'), film)
    expect(exchange.asked('cancel').length, 'what was read ahead').toBeGreaterThan(0)
    expect(exchange.asked('read').length).toBeLessThan(20)
    expect(site.assetRequests.length).toBeLessThan(6)
    expect((await worker.traffic.totals()).bytes).toEqual({ store: 0, peers: 0, origin: film.content.length })
  })

  test('gives the page what peers hold while the origin hangs', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = (path) => (path === '/image.jpg' ? new Promise(() => {}) : undefined)
    let holders = 0
    linked(worker, (message) =>
      message.type === 'find' ? { type: 'found', request: message.request, holders } : give(image, message),
    )
    const answer = worker.get('/image.jpg')
    await until(() => site.assetRequests.length > 0)
    holders = 1
    site.now += 5000
    await expectBody(await answer, image)
  })

  test('uses no peers once one of them believes another head of the same number (equivocation)', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => give(image, message))
    await worker.manifests.tellRule()
    expect(exchange.asked('word').map(({ envelope }) => envelope)).toEqual([site.files.get('fresh.json')])
    site.now += 1000
    await site.sayFresh({ head: film.asset.id })
    exchange.say({ type: 'heard', envelope: site.files.get('fresh.json') })
    await until(() => worker.told.rules.at(-1) === false)
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('read')).toEqual([])
  })

  test('asks the origin at once where nobody holds the asset', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => ({ type: 'found', request: requestOf(message), holders: 0 }))
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('read')).toEqual([])
  })

  test('does not wait for an exchange that is gone without a word, and asks for a new one', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.now += 1
    const exchange = linked(worker, () => undefined)
    const { relinks } = worker.told
    site.now += 1000
    await expectBody(await worker.get('/image.jpg'), image)
    expect(worker.bridge.isLinked).toBe(false)
    expect(worker.told.relinks).toBe(relinks + 1)
    expect(exchange.isClosed).toBe(true)
  })

  test('gives the page what peers hold while the origin is down', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    await until(() => worker.disk.parts.size === 1)
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    linked(worker, (message) => give(image, message))
    await expectBody(await worker.get('/image.jpg'), image)
  })

  test('asks peers once more for a chunk that the origin cannot give any more', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const refused = new Set<number>()
    linked(worker, (message) => {
      if (message.type !== 'read' || message.index < 3 || refused.has(message.index)) return give(image, message)
      refused.add(message.index)
      return { type: 'miss', request: message.request, reason: 'late' }
    })
    site.intercept = (path) => (path === '/image.jpg' ? Promise.reject(new TypeError('Failed to fetch')) : undefined)
    await expectBody(await worker.get('/image.jpg'), image)
  })

  test('gives the page the trouble of the origin rather than a long wait for peers', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read' && message.index !== listIndex
        ? { type: 'miss', request: message.request, reason: 'late' }
        : give(image, message),
    )
    site.intercept = (path) => (path === '/image.jpg' ? new Response('busy', { status: 503 }) : undefined)
    expect((await worker.get('/image.jpg')).status).toBe(503)
    expect(exchange.asked('read').length).toBeLessThan(20)
  })

  test('asks one peer after the other for the list while the origin is down, and blames those who lie', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    let lies = 9
    const exchange = linked(worker, (message) => {
      if (message.type !== 'read' || message.index !== listIndex || lies === 0) return give(image, message)
      lies -= 1
      return { type: 'chunk', request: message.request, peer, bytes: new Uint8Array(message.length).buffer }
    })
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('blame')).toHaveLength(9)
  })

  test('asks no more for a list where peers only lie and the origin answers at all', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read'
        ? { type: 'chunk', request: message.request, peer, bytes: new Uint8Array(message.length).buffer }
        : give(image, message),
    )
    site.intercept = (path) => (path.includes('/parts/') ? new Response('no', { status: 404 }) : undefined)
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('read').filter(({ index }) => index === listIndex)).toHaveLength(1)
  })

  test('waits for peers that rest while the origin is down', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    let restsLeft = 0
    let hasFailed = false
    linked(worker, (message) => {
      if (message.type === 'find' && restsLeft > 0) {
        restsLeft -= 1
        return { type: 'found', request: message.request, holders: 0 }
      }
      if (message.type !== 'read' || message.index < 3 || (restsLeft === 0 && hasFailed)) return give(image, message)
      if (!hasFailed) restsLeft = 2
      hasFailed = true
      return { type: 'miss', request: message.request, reason: 'late' }
    })
    site.intercept = (path) => (path === '/image.jpg' ? Promise.reject(new TypeError('Failed to fetch')) : undefined)
    await expectBody(await worker.get('/image.jpg'), image)
  })

  test('uses no peers where the site switched them off', async () => {
    const site = await liveSite()
    await site.sayFresh({ peers: false })
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => give(image, message))
    await expectBody(await worker.get('/image.jpg'), image)
    expect([...exchange.asked('find'), ...exchange.asked('read')]).toEqual([])
  })

  test('gives revoked content from nowhere but the origin', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    await expectBody(await worker.get('/image.jpg'), image)
    await worker.store.settled()
    site.now += 60_000
    await site.sayFresh({ revoked: [image.asset.id] })
    await worker.manifests.onNavigation()
    await worker.store.settled()
    const exchange = linked(worker, (message) => give(image, message))
    site.intercept = (path) => (path === '/image.jpg' ? new Response('gone', { status: 410 }) : undefined)
    expect((await worker.get('/image.jpg')).status).toBe(410)
    expect(exchange.heard).toEqual([])
    expect(worker.disk.rows.has(image.asset.id)).toBe(false)
    expect(worker.told.store.at(-1)).toEqual({ type: 'dropped', id: image.asset.id })
  })

  test('tells the exchange to stop when the page goes away', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read' && message.index > 0 ? undefined : give(film, message),
    )
    const response = await worker.get('/film.mp4')
    await response.body?.cancel()
    const open = exchange.asked('read').filter(({ index }) => index > 0)
    expect(open.length).toBeGreaterThan(0)
    expect(exchange.asked('cancel').map(({ request }) => request)).toEqual(open.map(({ request }) => request))
    expect(site.assetRequests).toEqual([])
  })
})

function altered(
  message: Extract<WorkerToExchange, { type: 'read' }>,
  change: (bytes: Bytes) => Bytes,
  { request }: { request: number } = message,
): ExchangeToWorker {
  const bytes = change(chunkBytes(image.content, image.asset.chunkSize, message.index))
  return { type: 'chunk', request, peer, bytes: bytes.slice().buffer }
}

function requestOf(message: WorkerToExchange): number {
  return 'request' in message ? message.request : 0
}
