import { describe, expect, test } from 'vitest'
import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import { listIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { isSameBytes } from '../../protocol/bytes.ts'
import type { PeerId } from '../../protocol/ids.ts'
import { FakeExchange } from '../fakes/fake-exchange.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import type { MadeAsset } from './made-asset.ts'
import { chunkBytes, makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite } from './made-site.ts'
import type { MadeWorker } from './made-worker.ts'
import { makeWorker } from './made-worker.ts'

const KIB = 1024
const peer = 'b'.repeat(32) as PeerId
const image = await makeAsset('/image.jpg', contentOf(400 * KIB + 17))
const icon = await makeAsset('/icon.png', contentOf(3000, 2))
const empty = await makeAsset('/empty.css', new Uint8Array(0))
const film = await makeAsset('/film.mp4', contentOf(9 * 1024 * KIB, 3))
const all = [image, icon, empty, film]

async function liveSite(): Promise<MadeSite> {
  const site = await makeSite()
  await site.deploy(all)
  return site
}

async function bodyOf(response: Response): Promise<Bytes> {
  return new Uint8Array(await response.arrayBuffer())
}

async function expectBody(response: Response, { content }: MadeAsset, status = 200): Promise<void> {
  expect(response.status).toBe(status)
  expect(isSameBytes(await bodyOf(response), content), 'the body is the content').toBe(true)
}

/** The honest answer of a peer that holds an asset. */
function give({ asset, content, list }: MadeAsset, message: WorkerToExchange): ExchangeToWorker | undefined {
  const { type } = message
  if (type === 'find') return { type: 'found', request: message.request, holders: message.asset === asset.id ? 1 : 0 }
  if (type !== 'read') return undefined
  const bytes = message.index === listIndex ? list.slice() : chunkBytes(content, asset.chunkSize, message.index)
  return { type: 'chunk', request: message.request, peer, bytes: bytes.buffer }
}

function linked(worker: MadeWorker, script: FakeExchange['script']): FakeExchange {
  const exchange = new FakeExchange(script)
  worker.bridge.link(exchange, 'page')
  return exchange
}

/** A second visit: the manifest is known, nothing is stored. */
async function readyWorker(site: MadeSite): Promise<MadeWorker> {
  const worker = makeWorker(site)
  await worker.manifests.onNavigation()
  return worker
}

describe('Route.answer() from the origin', () => {
  test.each(all.map((made) => [made.asset.path, made] as const))(
    'gives %s as it is, and keeps it',
    async (path, made) => {
      const site = await liveSite()
      const worker = await readyWorker(site)
      await expectBody(await worker.get(path), made)
      await settled(worker)
      const before = site.assetRequests.length
      await expectBody(await worker.get(path), made)
      expect(site.assetRequests.length, 'nothing more from the origin').toBe(before)
      expect(worker.reports).toEqual([])
    },
  )

  test('asks for a whole asset without a range, in one request', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    await expectBody(await worker.get('/image.jpg'), image)
    expect(site.assetRequests).toEqual([{ path: '/image.jpg', range: undefined }])
  })

  test('asks for the chunks of a range alone', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const response = await worker.get('/film.mp4', { range: 'bytes=1000000-1200000' })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes 1000000-1200000/${film.content.length}`)
    expect(isSameBytes(await bodyOf(response), film.content.subarray(1_000_000, 1_200_001))).toBe(true)
    expect(site.assetRequests).toEqual([{ path: '/film.mp4', range: `bytes=${7 * 131_072}-${10 * 131_072 - 1}` }])
  })

  test('gives an asset that is not listed plainly', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    expect((await worker.get('/unlisted.jpg')).status).toBe(404)
    expect((await worker.traffic.totals()).fallbacks).toBe(1)
  })

  test('passes what a deploy changed through untouched, and learns the new manifest', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const changed = await makeAsset('/image.jpg', contentOf(200 * KIB, 9))
    site.now += 60_000
    await site.deploy([changed, icon])
    await expectBody(await worker.get('/image.jpg'), changed)
    await expectBody(await worker.get('/image.jpg'), changed)
    expect(await worker.traffic.totals()).toMatchObject({ requests: 2, fallbacks: 1 })
  })

  test('goes on with the same content by its id where the origin changed after the first byte', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const mixed = film.content.slice()
    mixed.fill(0, 5 * 1024 * KIB)
    site.intercept = (path) => (path === '/film.mp4' ? new Response(mixed) : undefined)
    await expectBody(await worker.get('/film.mp4'), film)
    expect(site.seen.some(({ path }) => path.includes(`/content/${film.asset.id}`))).toBe(true)
  })

  test('breaks the body where nobody has the rest of it', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const cut = film.content.slice(0, 5 * 1024 * KIB)
    site.intercept = (path) =>
      path === '/film.mp4'
        ? new Response(cut)
        : path.includes('/content/')
          ? new Response('', { status: 404 })
          : undefined
    const response = await worker.get('/film.mp4')
    await expect(response.arrayBuffer()).rejects.toThrow('Cannot read chunk')
  })

  test.each([
    ['an error', () => new Response('busy', { status: 503 })],
    ['a redirect', () => Response.redirect('http://site.test/login', 302)],
    ['too little', () => new Response(image.content.slice(0, 10))],
    ['nothing', () => new Response(null)],
    ['another range', () => new Response('x', { status: 206, headers: { 'content-range': 'bytes 5-5/6' } })],
  ])('gives the page what the origin says where that is %s', async (_name, answer) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = (path) => (path === '/image.jpg' ? answer() : undefined)
    const [own, plain] = [await worker.get('/image.jpg'), answer()]
    expect(own.status).toBe(plain.status)
    expect(await bodyOf(own)).toEqual(await bodyOf(plain))
  })

  test('fails like the network where there is none', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await expect(worker.get('/image.jpg')).rejects.toThrow('Failed to fetch')
  })
})

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
    expect(exchange.heard).toEqual([])
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
    site.now += 1000
    await expectBody(await worker.get('/image.jpg'), image)
    expect(worker.bridge.isLinked).toBe(false)
    expect(worker.told.relinks).toBe(1)
    expect(exchange.isClosed).toBe(true)
  })

  test('gives the page what peers hold while the origin is down', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    // The origin's word about the asset was heard before.
    await worker.manifests.find('/image.jpg')
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

  test('uses no peers where the site switched them off', async () => {
    const site = await liveSite()
    await site.sayFresh({ peers: false })
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) => give(image, message))
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.heard).toEqual([])
  })

  test('gives revoked content from nowhere but the origin', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    await expectBody(await worker.get('/image.jpg'), image)
    await settled(worker)
    site.now += 60_000
    await site.sayFresh({ revoked: [image.asset.id] })
    await worker.manifests.onNavigation()
    await settled(worker)
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

describe('Route.answer() from the store', () => {
  async function stored(site: MadeSite): Promise<MemoryDisk> {
    const worker = await readyWorker(site)
    for (const made of all) await expectBody(await worker.get(made.asset.path), made)
    await settled(worker)
    return worker.disk
  }

  test('gives in a new life what an earlier one stored', async () => {
    const site = await liveSite()
    const disk = await stored(site)
    const before = site.assetRequests.length
    const worker = makeWorker(site, disk)
    for (const made of all) await expectBody(await worker.get(made.asset.path), made)
    expect(site.assetRequests.length).toBe(before)
  })

  test('never gives bytes that were changed on disk, and gets the right ones again', async () => {
    const site = await liveSite()
    const disk = await stored(site)
    for (const [key, blob] of disk.files) disk.files.set(key, new Blob([new Uint8Array(blob.size).fill(66)]))
    const worker = makeWorker(site, disk)
    for (const made of all) await expectBody(await worker.get(made.asset.path), made)
    expect((await worker.traffic.totals()).badChunks).toBeGreaterThan(0)
  })

  test('gets what vanished from the disk from the origin, and repairs its row', async () => {
    const site = await liveSite()
    const disk = await stored(site)
    disk.files.clear()
    const worker = makeWorker(site, disk)
    await expectBody(await worker.get('/icon.png'), icon)
    await settled(worker)
    expect(worker.told.store).toEqual([
      { type: 'dropped', id: icon.asset.id },
      { type: 'stored', asset: expect.objectContaining({ id: icon.asset.id, spans: [0] }) },
    ])
  })

  test('does without a disk that fails in every call', async () => {
    const site = await liveSite()
    const worker = makeWorker(site)
    worker.disk.failure = new Error('no disk')
    await worker.manifests.onNavigation()
    for (const made of all) await expectBody(await worker.get(made.asset.path), made)
    expect((await worker.traffic.totals()).fallbacks).toBe(0)
  })

  test('answers with no network at all, also after the manifest is out of date', async () => {
    const site = await liveSite()
    const disk = await stored(site)
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    site.now += 86_400_000
    const worker = makeWorker(site, disk)
    await worker.manifests.onNavigation()
    const exchange = linked(worker, (message) => give(image, message))
    for (const made of all) await expectBody(await worker.get(made.asset.path), made)
    expect(exchange.heard, 'no peers without a fresh word of the site').toEqual([])
    site.now += 40 * 86_400_000 // the head expired
    await expect(worker.get('/icon.png')).rejects.toThrow('Failed to fetch')
  })
})

describe('Route.answerPage()', () => {
  const home = '/'
  const pageRequest = (): Request => new Request('http://site.test/')

  test('gives the network’s page, and the stored one where there is no network', async () => {
    const site = await makeSite()
    const page = await makeAsset('/index.html', contentOf(70 * KIB))
    await site.deploy([page])
    const worker = await readyWorker(site)
    site.intercept = (path) => (path === home ? basicResponse(page.content) : undefined)
    const kept: Promise<void>[] = []
    await expectBody(await worker.route.answerPage(pageRequest(), home, (work) => kept.push(work)), page)
    await Promise.all(kept)
    expect(
      site.assetRequests.map(({ path }) => path),
      'no second request for the page',
    ).toEqual([home])
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await expectBody(await worker.route.answerPage(pageRequest(), home, () => {}), page)
  })

  test('does not keep a page that is not the manifest’s', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = (path) => (path === home ? basicResponse(contentOf(10)) : undefined)
    const kept: Promise<void>[] = []
    await worker.route.answerPage(pageRequest(), home, (work) => kept.push(work))
    await Promise.all(kept)
    expect(worker.disk.rows.size).toBe(0)
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
  return message.request
}

/** As fetch gives it for a page of the site itself; a constructed response has another type. */
function basicResponse(body: Bytes): Response {
  const response = new Response(body)
  Object.defineProperty(response, 'type', { value: 'basic' })
  return response
}

async function settled(worker: MadeWorker): Promise<void> {
  await worker.store.settled()
}
