import { describe, expect, test } from 'vitest'
import type { Bytes } from '../../protocol/bytes.ts'
import type { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite } from './made-site.ts'
import type { MadeWorker } from './made-worker.ts'
import { makeWorker } from './made-worker.ts'
import { KIB, image, icon, all, liveSite, expectBody, give, linked, readyWorker } from './route-scene.ts'

describe('Route.answer() from the store', () => {
  async function stored(site: MadeSite): Promise<MemoryDisk> {
    const worker = await readyWorker(site)
    for (const made of all) await expectBody(await worker.get(made.asset.path), made)
    await worker.store.settled()
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
    await worker.store.settled()
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
  const answerHome = (site: MadeSite, worker: MadeWorker, keep: (work: Promise<void>) => void = () => {}) => {
    const request = new Request('http://site.test/')
    return worker.route.answerPage(request, home, () => site.fetch(request), 'page', keep)
  }

  test('gives the network’s page, and the stored one where there is no network', async () => {
    const site = await makeSite()
    const page = await makeAsset('/index.html', contentOf(70 * KIB))
    await site.deploy([page])
    const worker = await readyWorker(site)
    site.intercept = (path) => (path === home ? basicResponse(page.content) : undefined)
    const kept: Promise<void>[] = []
    await expectBody(await answerHome(site, worker, (work) => kept.push(work)), page)
    await Promise.all(kept)
    expect(
      site.assetRequests.map(({ path }) => path),
      'no second request for the page',
    ).toEqual([home])
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await expectBody(await answerHome(site, worker), page)
  })

  test('does not keep a page that is not the manifest’s', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = (path) => (path === home ? basicResponse(contentOf(10)) : undefined)
    const kept: Promise<void>[] = []
    await answerHome(site, worker, (work) => kept.push(work))
    await Promise.all(kept)
    expect(worker.disk.rows.size).toBe(0)
  })
})

/** As fetch gives it for a page of the site itself; a constructed response has another type. */
function basicResponse(body: Bytes): Response {
  const response = new Response(body)
  Object.defineProperty(response, 'type', { value: 'basic' })
  return response
}
