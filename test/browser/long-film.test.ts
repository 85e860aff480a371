import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { noise, sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import { untilTrue } from './harness/until.ts'
import { openVisitor } from './harness/visitor.ts'

const scene = useScene()

const MIB = 1024 * 1024
const path = '/files/film.bin'
const filmBytes = 1200 * MIB + 5 // long spans, five pages, and a map in which a bit means four chunks
const scenes = noise(12 * MIB, 9)
const scenesAt = 1022 * MIB // from one page of the list into the next
const wideStart = 1020 * MIB
const chunkBytes = 256 * 1024
const spanBytes = 4 * MIB

async function openSiteWithFilm(): Promise<Site> {
  const site = await openSite(scene, { storeLimitBytes: 4096 * MIB })
  await site.stop()
  const file = await open(join(site.folder, path), 'w')
  await file.truncate(filmBytes)
  await file.write(scenes, 0, scenes.length, scenesAt)
  await file.close()
  await site.start()
  return site
}

test('a film with pages in its list is read from the origin, from a neighbour that holds some of it, and from the store', async () => {
  const site = await openSiteWithFilm()
  const [start, end] = [scenesAt + 3 * MIB - 100, scenesAt + 9 * MIB]
  const range = { headers: { range: `bytes=${start}-${end - 1}` } }
  const expected = sha256Of(scenes.subarray(start - scenesAt, end - scenesAt))

  const first = await openVisitor(scene, site)
  await first.untilAnswering()
  // All of the spans, which are 4 MiB long, and of the runs that the map knows.
  const wide = { headers: { range: `bytes=${wideStart}-${wideStart + 16 * MIB - 1}` } }
  expect((await first.load(path, wide)).status).toBe(206)
  await untilTrue(
    first.page,
    async (lastSpan: number) => {
      const stored = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()))
      return stored.flat().some(({ url }) => url.endsWith(`/${lastSpan}`))
    },
    (wideStart + 12 * MIB) / spanBytes,
  )
  expect((await first.load(path, range)).sha256).toBe(expected)

  const second = await openVisitor(scene, site)
  await second.connected()
  await second.untilAnswering()
  // Until it knows what the first holds of the film.
  for (let at = 0; (await second.chunks(path)).at(-1)?.source !== 'peer' && at < 16; at += 1) {
    const begin = wideStart + at * chunkBytes
    await second.load(path, { headers: { range: `bytes=${begin}-${begin}` } })
  }
  const chunksBefore = (await second.chunks(path)).length
  site.count.reset()
  site.hold([path])
  const loaded = await second.load(path, range)
  expect([loaded.status, loaded.sha256]).toEqual([206, expected])
  const chunks = (await second.chunks(path)).slice(chunksBefore)
  expect(new Set(chunks.map(({ source }) => source))).toEqual(new Set(['peer']))
  expect(site.count.bytes(path)).toBe(0)

  const before = (await first.chunks(path)).length
  expect((await first.load(path, range)).sha256).toBe(expected)
  expect(new Set((await first.chunks(path)).slice(before).map(({ source }) => source))).toEqual(new Set(['store']))
})
