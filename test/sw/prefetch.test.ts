import { expect, test } from 'vitest'
import { isWhole } from '../../sw/store.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { siteUrl } from './made-site.ts'
import { makeWorker } from './made-worker.ts'
import { all, film, give, icon, image, linked, liveSite, readyWorker } from './route-scene.ts'

const urlOf = (path: string): string => new URL(path, siteUrl).href

test('Prefetch stores what peers hold, and asks the origin for nothing', async () => {
  const site = await liveSite()
  const worker = await readyWorker(site)
  linked(worker, (message) => give(image, message))
  await worker.prefetch.take([urlOf('/film.mp4'), urlOf('/image.jpg'), urlOf('/missing'), 'not a URL'], false)
  expect(site.assetRequests).toEqual([])
  expect(isWhole(await worker.store.find(image.asset.id))).toBe(true)
  expect(await worker.store.find(film.asset.id)).toBeUndefined()
  const { bytes, prefetchedBytes, requests } = await worker.traffic.totals()
  expect(prefetchedBytes).toEqual({ peers: image.content.length, origin: 0 })
  expect([bytes, requests]).toEqual([{ store: 0, peers: 0, origin: 0 }, 0])
  await (await worker.get('/image.jpg')).arrayBuffer()
  expect((await worker.traffic.totals()).bytes.store).toBe(image.content.length)
})

test('Prefetch asks the origin where the site allows it, and for nothing that is stored', async () => {
  const site = await liveSite()
  const worker = await readyWorker(site)
  await worker.prefetch.take([urlOf('/icon.png')], true)
  expect(isWhole(await worker.store.find(icon.asset.id))).toBe(true)
  await worker.prefetch.take([urlOf('/icon.png')], true)
  expect(site.assetRequests).toHaveLength(1)
  expect((await worker.traffic.totals()).prefetchedBytes).toEqual({ peers: 0, origin: icon.content.length })
})

test('Prefetch leaves alone what the origin changed, and goes on with the next', async () => {
  const site = await liveSite()
  const worker = await readyWorker(site)
  await site.deploy(all.filter((asset) => asset !== icon))
  await worker.prefetch.take([urlOf('/icon.png'), urlOf('/image.jpg')], true)
  expect(await worker.store.find(icon.asset.id)).toBeUndefined()
  expect(isWhole(await worker.store.find(image.asset.id))).toBe(true)
})

test.each([
  ['names it', true],
  ['does not name it', false],
])('Prefetch asks another host only where the signed head %s, whatever the worker file says', async (_, isSigned) => {
  const site = await liveSite()
  const urls = { ignoredQuery: [], hosts: [{ host: 'https://media.test', from: '/', to: '/' }] }
  if (isSigned) await site.deploy(all, { urls })
  const worker = makeWorker(site, new MemoryDisk(), 100_000_000, urls)
  await worker.manifests.onNavigation()
  await worker.prefetch.take(['https://media.test/icon.png'], true)
  expect(site.urls.includes('https://media.test/icon.png')).toBe(isSigned)
})
