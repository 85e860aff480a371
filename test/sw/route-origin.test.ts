import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { isSameBytes } from '../../protocol/bytes.ts'
import { partWaitMs } from '../../protocol/limits.ts'
import { rest } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from './made-asset.ts'
import { KIB, image, icon, film, all, liveSite, bodyOf, expectBody, readyWorker } from './route-scene.ts'

describe('Route.answer() from the origin', () => {
  test.each(all.map((made) => [made.asset.path, made] as const))(
    'gives %s as it is, and keeps it',
    async (path, made) => {
      const site = await liveSite()
      const worker = await readyWorker(site)
      await expectBody(await worker.get(path), made)
      await worker.store.settled()
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
    expect(isSameBytes(await bodyOf(own), await bodyOf(plain))).toBe(true)
  })

  test('does not hold the page up for a part of the manifest that never comes', async () => {
    const site = await liveSite()
    site.intercept = (path) => (path.includes('/parts/') ? new Promise(() => {}) : undefined)
    const worker = await readyWorker(site)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const answer = worker.get('/image.jpg')
    await rest()
    expect(site.assetRequests).toEqual([])
    await vi.advanceTimersByTimeAsync(partWaitMs)
    await expectBody(await answer, image)
    expect((await worker.traffic.totals()).fallbacks).toBe(1)
  })

  test.each<[string, string]>([
    ['cache-control', 'private, max-age=60'],
    ['cache-control', 'no-store'],
    ['vary', 'cookie'],
  ])('keeps out of what the origin gives to this visitor alone: %s: %s', async (name, value) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const body = image.content.slice()
    site.intercept = (path) =>
      path === '/image.jpg' ? new Response(body, { headers: { [name]: value, 'x-own': 'yes' } }) : undefined
    for (let visit = 0; visit < 2; visit += 1) {
      const response = await worker.get('/image.jpg')
      expect(response.headers.get('x-own'), 'the very answer of the origin').toBe('yes')
      expect(isSameBytes(await bodyOf(response), body)).toBe(true)
    }
    await worker.store.settled()
    expect(worker.disk.rows.has(image.asset.id)).toBe(false)
    // The first was asked for in vain, the second is left alone.
    expect(site.assetRequests).toHaveLength(3)
  })

  test('fails like the network where there is none', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    await expect(worker.get('/image.jpg')).rejects.toThrow('Failed to fetch')
  })
})
