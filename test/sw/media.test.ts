import { describe, expect, test } from 'vitest'
import { mediaPathsKept, pagesKept } from '../../protocol/limits.ts'
import { asMade, Media, rangeStart } from '../../sw/media.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { film, linked, liveSite, readyWorker } from './route-scene.ts'

function open(disk = new MemoryDisk()) {
  const reports: unknown[] = []
  const media = new Media(disk.state, (error) => void reports.push(error))
  return { media, disk, reports }
}

describe('Media', () => {
  test('answers every element of a page that had the worker from its beginning', async () => {
    const { media } = open()
    await media.adopt(['other'], ['other', 'page'])
    expect(await media.isOurs('page', '/a.mp4', 0)).toBe(true)
    expect(await media.isOurs('page', '/b.mp4', 4096)).toBe(true)
  })

  test('leaves to the network what an adopted page began alone, and goes on with what it began with us', async () => {
    const { media, disk } = open()
    await media.adopt(['page'], ['page'])
    expect(await media.isOurs('page', '/before.mp4', 4096)).toBe(false)
    expect(await media.isOurs('page', '/before.mp4', 0), 'played again').toBe(false)
    expect(await media.isOurs('page', '/after.mp4', 0)).toBe(true)
    const later = open(disk).media
    expect(await later.isOurs('page', '/after.mp4', 4096), 'after a restart of the worker').toBe(true)
    expect(await later.isOurs('page', '/before.mp4', 0)).toBe(false)
  })

  test('goes on leaving alone what was left alone, in this page and whatever else it plays', async () => {
    const { media, disk } = open()
    await media.leave('page', '/left.mp4')
    await media.adopt([], ['page'])
    const later = open(disk).media
    for (const one of [media, later]) {
      expect(await one.isOurs('page', '/left.mp4', 0)).toBe(false)
      expect(await one.isOurs('page', '/other.mp4', 4096)).toBe(true)
      expect(await one.isOurs('next', '/left.mp4', 0)).toBe(true)
    }
    for (let page = 0; page < pagesKept; page += 1) await media.leave(`${page}`, '/a.mp4')
    expect(Object.keys(disk.values.get('media') as object)).toHaveLength(pagesKept)
    await media.adopt([], [])
    expect(disk.values.get('media')).toEqual({})
  })

  test('remembers pages as long as they are open, and a bounded number of paths', async () => {
    const { media, disk } = open()
    await media.adopt(['one', 'two'], ['one', 'two'])
    await media.isOurs('one', '/a.mp4', 9)
    for (let at = 0; at < mediaPathsKept; at += 1) await media.isOurs('two', `/${at}.mp4`, 0)
    expect(await media.isOurs('two', '/more.mp4', 0)).toBe(false)
    await media.adopt([], ['one'])
    expect(disk.values.get('media')).toEqual({ one: { '/a.mp4': false } })
  })

  test.each([7, { page: 1 }, { page: { '/a': 'yes' } }])('begins anew where a script wrote %j', async (value) => {
    const { media, disk, reports } = open()
    disk.values.set('media', value)
    expect(await media.isOurs('page', '/a.mp4', 9)).toBe(true)
    expect(reports).toHaveLength(1)
  })

  test('goes on where the device fails', async () => {
    const { media, disk } = open()
    disk.failure = new Error('broken')
    await media.adopt(['page'], ['page'])
    expect(await media.isOurs('page', '/a.mp4', 9)).toBe(false)
  })
})

describe('Route.answer() of media', () => {
  const request = (range: string): Request => {
    const made = new Request('https://example.org/film.mp4', { headers: { range } })
    // Only a browser can make one with this destination.
    return Object.defineProperty(made, 'destination', { value: 'video' })
  }

  test('makes the answer also where it is the plain one', async () => {
    const site = await liveSite()
    site.files.delete('fresh.json')
    const worker = await readyWorker(site)
    const response = await worker.route.answer(request('bytes=0-'), '/film.mp4', 'page')
    expect([response.status, response.url]).toEqual([206, ''])
    expect((await response.arrayBuffer()).byteLength).toBe(film.content.length)
  })

  test('is the network’s own for what began before the worker', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    const exchange = linked(worker, () => undefined)
    await worker.media.adopt(['page'], ['page'])
    await worker.route.answer(request('bytes=4096-'), '/film.mp4', 'page')
    expect(exchange.heard).toEqual([])
    expect((await worker.traffic.totals()).requests).toBe(0)
  })
})

test.each([
  [null, 0],
  ['bytes=0-', 0],
  ['bytes=4096-', 4096],
  ['bytes=-5', 0],
  ['nonsense', 0],
])('rangeStart() of %s is %i', (header, start) => expect(rangeStart(header)).toBe(start))

test('asMade() leaves an opaque answer and an error alone', () => {
  const error = Response.error()
  expect(asMade(error)).toBe(error)
})
