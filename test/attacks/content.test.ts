import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import { listIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { isSameBytes, utf8 } from '../../protocol/bytes.ts'
import { until } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import type { MadeAsset } from '../sw/made-asset.ts'
import { chunkBytes, makeAsset } from '../sw/made-asset.ts'
import { makeSite } from '../sw/made-site.ts'
import type { MadeWorker } from '../sw/made-worker.ts'
import { makeWorker } from '../sw/made-worker.ts'
import { bodyOf, expectBody, film, give, image, linked, liveSite, peer, readyWorker } from '../sw/route-scene.ts'

type Read = Extract<WorkerToExchange, { type: 'read' }>

const other = await makeAsset('/other.jpg', contentOf(image.content.length, 77))

const chunk = ({ request }: Read, bytes: Bytes): ExchangeToWorker => ({
  type: 'chunk',
  request,
  peer,
  bytes: bytes.slice().buffer,
})

/** As many bytes as asked for, with zeros where there are too few. */
function fitted({ length }: Read, bytes: Uint8Array): Bytes {
  const filled = new Uint8Array(length)
  filled.set(bytes.subarray(0, length))
  return filled
}

const truth = ({ index }: Read): Bytes => chunkBytes(image.content, image.asset.chunkSize, index)

describe('a peer that sends', () => {
  test.each<[string, (message: Read) => Bytes]>([
    ['the right chunk of another asset', ({ index }) => chunkBytes(other.content, other.asset.chunkSize, index)],
    ['the chunk before', ({ index }) => chunkBytes(image.content, image.asset.chunkSize, Math.max(0, index - 1))],
    ['the chunk compressed', (message) => new Uint8Array(gzipSync(truth(message)))],
    ['the chunk compressed, to its length', (message) => fitted(message, gzipSync(truth(message)))],
    ['the chunk list as a chunk, to its length', (message) => fitted(message, image.list)],
    ['a right beginning and a wrong end', (message) => truth(message).fill(0, 40_000)],
    ['the right bytes one place off', (message) => fitted(message, truth(message).subarray(1))],
    ['nothing but zeros', (message) => fitted(message, new Uint8Array())],
  ])('%s for every chunk changes no byte of the page', async (_, lie) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    linked(worker, (message) =>
      message.type === 'read' && message.index >= 0 ? chunk(message, lie(message)) : give(image, message),
    )
    await expectBody(await worker.get('/image.jpg'), image)
    await expectStored(worker, image)
  })

  test.each<[string, (message: Read) => Bytes]>([
    ['the first chunk', (message) => fitted(message, image.content)],
    ['the list of another asset of the same size', () => other.list],
    ['the list with two digests changed over', () => swapped(image.list)],
    ['the list with one chunk less', () => image.list.slice(0, -32)],
  ])('%s in place of the list changes no byte of the page', async (_, lie) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, (message) =>
      message.type === 'read' && message.index === listIndex ? chunk(message, lie(message)) : give(image, message),
    )
    await expectBody(await worker.get('/image.jpg'), image)
    expect(exchange.asked('blame').length).toBeGreaterThan(0)
    await expectStored(worker, image)
  })

  test('headers along with a chunk is not heard, and the page has the signed ones', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    let isLying = true
    linked(worker, (message) => {
      const answer = give(image, message)
      if (answer?.type !== 'chunk' || !isLying) return answer
      isLying = false
      return { ...answer, headers: [['content-type', 'text/html']], status: 500 } as ExchangeToWorker
    })
    const response = await worker.get('/image.jpg')
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/octet-stream'])
    await expectBody(response, image)
  })
})

describe('an asset that is the chunk list of another', () => {
  // Both have one content id. Whoever may put files on a site can make such a pair.
  const twin = { ...image, asset: { ...image.asset } }
  const asList: MadeAsset = {
    asset: { ...image.asset, path: '/list.bin', size: image.list.length, chunkSize: 65_536 },
    content: image.list,
    list: new Uint8Array(0),
  }

  test.each([
    ['first', [asList, twin]],
    ['last', [twin, asList]],
  ] as const)('never stands for it, asked for %s, in this life of the worker or the next', async (_, order) => {
    const site = await makeSite()
    await site.deploy([asList, twin])
    const worker = await readyWorker(site)
    for (const life of [worker, makeWorker(site, worker.disk), makeWorker(site, worker.disk)]) {
      for (const made of order) {
        await expectBody(await life.get(made.asset.path), made)
        await life.store.settled()
      }
    }
  })
})

describe('an origin’s answer that was altered on its way', () => {
  test.each<[string, (body: Bytes) => Bytes]>([
    ['in one bit', (body) => body.fill((body[70_000] ?? 0) ^ 1, 70_000, 70_001)],
    ['by a banner before it', (body) => new Uint8Array([...utf8('<b>'), ...body])],
    ['to nothing', () => new Uint8Array(0)],
  ])('%s is the page’s, as without us, and never kept or told to peers', async (_, alter) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const altered = alter(image.content.slice())
    site.intercept = (path) =>
      path === '/image.jpg' || path.includes('/content/') ? new Response(altered.slice()) : undefined
    await worker
      .get('/image.jpg')
      .then(bodyOf)
      .catch(() => {})
    await worker.store.settled()
    expect(worker.told.store).toEqual([])
    expect([...worker.disk.files.keys()].filter((key) => !key.includes('list'))).toEqual([])
  })
})

test('two builds of the worker with one store give each page its own content', async () => {
  const site = await liveSite()
  const old = await readyWorker(site)
  const changed = await makeAsset('/image.jpg', contentOf(image.content.length, 31))
  await expectBody(await old.get('/image.jpg'), image)
  await old.store.settled()
  site.now += 1000
  await site.deploy([changed, film])
  const young = makeWorker(site, old.disk)
  await young.manifests.onNavigation()
  await expectBody(await young.get('/image.jpg'), changed)
  await young.store.settled()
  // The old one has not heard of the deploy: what it holds is whole and of one head.
  expect(isSameBytes(await bodyOf(await old.get('/image.jpg')), image.content)).toBe(true)
  await expectBody(await young.get('/image.jpg'), changed)
})

/** Whatever is kept of it is its very bytes: a new life of the worker, without network and peers, gives the same. */
async function expectStored(worker: MadeWorker, made: MadeAsset): Promise<void> {
  await worker.store.settled()
  await until(() => worker.disk.rows.has(made.asset.id))
  const spans = [...worker.disk.files].filter(([key]) => key.endsWith('/0')).map(([, body]) => body)
  expect(
    await Promise.all(spans.map(async (body) => isSameBytes(new Uint8Array(await body.arrayBuffer()), made.content))),
  ).toEqual([true])
}

function swapped(list: Bytes): Bytes {
  const copy = list.slice()
  copy.set(list.subarray(48, 80), 16)
  copy.set(list.subarray(16, 48), 48)
  return copy
}
