import { expect, test } from 'vitest'
import { listIndex, pageIndex } from '../../protocol/bridge.ts'
import type { WorkerToExchange } from '../../protocol/bridge.ts'
import { isSameBytes } from '../../protocol/bytes.ts'
import { encodeChunkList, encodePages, pageCount } from '../../protocol/chunks.ts'
import { contentIdOf, sha256 } from '../../protocol/hash.ts'
import { manifestFiles } from '../../protocol/manifest.ts'
import { pageKey } from '../../protocol/store-layout.ts'
import type { MadeAsset } from './made-asset.ts'
import { chunkBytes } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite } from './made-site.ts'
import { bodyOf, linked, peer, readyWorker } from './route-scene.ts'
import { makeWorker } from './made-worker.ts'

const chunkSize = 64 * 1024
const chunks = 2100 // more than one list has room for, in the smallest chunks that a row may have
const content = new Uint8Array(chunks * chunkSize - 5)
for (let index = 0; index < chunks; index += 1) new DataView(content.buffer).setUint32(index * chunkSize, index + 1)

async function makeFilm(): Promise<{ film: MadeAsset; pages: readonly Uint8Array<ArrayBuffer>[] }> {
  const sizes = { size: content.length, chunkSize }
  const digests: Uint8Array[] = []
  for (let index = 0; index < chunks; index += 1) digests.push(await sha256(chunkBytes(content, chunkSize, index)))
  const pages = encodePages(digests)
  const list = encodeChunkList({ ...sizes, digests: await Promise.all(pages.map(sha256)) })
  const id = await contentIdOf(list)
  const headers = [['content-type', 'video/mp4'] as const]
  return { film: { asset: { path: '/film.mp4', section: '/', id, ...sizes, headers }, content, list }, pages }
}

const { film, pages } = await makeFilm()
const pageNames = await Promise.all(pages.map(async (page) => manifestFiles.part(await contentIdOf(page))))

async function siteWithFilm(): Promise<MadeSite> {
  const site = await makeSite()
  await site.deploy([film])
  for (const [at, page] of pages.entries()) site.files.set(pageNames[at] ?? '', page)
  return site
}

const seenPages = (site: MadeSite) =>
  pageNames.map((name) => site.seen.filter(({ path }) => path.endsWith(name)).length)

async function expectRange(response: Response, start: number, end: number): Promise<void> {
  expect(response.status).toBe(206)
  expect(isSameBytes(await bodyOf(response), content.subarray(start, end)), 'the body is the range').toBe(true)
}

test('the film has three pages', () => {
  expect([pageCount(film.asset), pages.length]).toEqual([3, 3])
})

test('a range reads the page of the list that it needs, and no other', async () => {
  const site = await siteWithFilm()
  const worker = await readyWorker(site)
  const start = 1500 * chunkSize + 7
  await expectRange(
    await worker.get('/film.mp4', { range: `bytes=${start}-${start + 99_999}` }),
    start,
    start + 100_000,
  )
  expect(seenPages(site)).toEqual([0, 1, 0])
  await expectRange(await worker.get('/film.mp4', { range: 'bytes=-3' }), content.length - 3, content.length)
  expect(seenPages(site)).toEqual([0, 1, 1])
})

test('a long range crosses from one page into the next', async () => {
  const site = await siteWithFilm()
  const worker = await readyWorker(site)
  const [start, end] = [800 * chunkSize, 1100 * chunkSize]
  await expectRange(await worker.get('/film.mp4', { range: `bytes=${start}-${end - 1}` }), start, end)
  expect(seenPages(site)).toEqual([1, 1, 0])
})

test('a page that is not what the list says leaves the answer to the origin', async () => {
  const site = await siteWithFilm()
  const worker = await readyWorker(site)
  site.files.set(
    pageNames[0] ?? '',
    (pages[0] ?? new Uint8Array()).map((byte) => byte ^ 1),
  )
  await expectRange(await worker.get('/film.mp4', { range: 'bytes=0-99' }), 0, 100)
  expect((await worker.traffic.totals()).fallbacks).toBe(1)
})

test('a page that fails in the middle of a response is asked for again', async () => {
  const site = await siteWithFilm()
  const worker = await readyWorker(site)
  let failures = 2
  site.intercept = (path) => {
    if (!path.endsWith(pageNames[1] ?? '') || failures === 0) return undefined
    failures -= 1
    return new Response('', { status: 503 })
  }
  const [start, end] = [1000 * chunkSize, 1040 * chunkSize]
  const response = worker.get('/film.mp4', { range: `bytes=${start}-${end - 1}` })
  // The origin rests for a while after each failure.
  const clock = setInterval(() => (site.now += 3000), 100)
  await expectRange(await response, start, end)
  clearInterval(clock)
  expect(failures).toBe(0)
})

test('peers give pages, and the store keeps those that its spans need', async () => {
  const site = await siteWithFilm()
  const worker = makeWorker(site, undefined, 2 ** 30)
  await worker.manifests.onNavigation()
  const asked: number[] = []
  linked(worker, (message: WorkerToExchange) => {
    if (message.type === 'find') return { type: 'found', request: message.request, holders: 1 }
    if (message.type !== 'read') return undefined
    const { index, request } = message
    asked.push(index)
    const page = pages[pageIndex(0) - index]
    const bytes = index === listIndex ? film.list.slice() : (page?.slice() ?? chunkBytes(content, chunkSize, index))
    return { type: 'chunk', request, peer, bytes: bytes.buffer }
  })
  const [start, end] = [1024 * chunkSize, 1040 * chunkSize]
  await expectRange(await worker.get('/film.mp4', { range: `bytes=${start}-${end - 1}` }), start, end)
  expect(asked.filter((index) => index < 0)).toEqual([listIndex, pageIndex(1)])
  expect(seenPages(site)).toEqual([0, 0, 0])
  await worker.store.settled()
  expect(worker.disk.files.has(pageKey(film.asset.id, 1))).toBe(true)
  expect(worker.disk.files.has(pageKey(film.asset.id, 0))).toBe(false)

  const later = makeWorker(site, worker.disk, 2 ** 30)
  await later.manifests.onNavigation()
  site.seen.length = 0
  await expectRange(await later.get('/film.mp4', { range: `bytes=${start}-${end - 1}` }), start, end)
  expect(site.seen.filter(({ path }) => !path.endsWith('fresh.json'))).toEqual([])
  later.store.drop(film.asset.id)
  await later.store.settled()
  expect([...worker.disk.files.keys()]).toEqual([])
})
