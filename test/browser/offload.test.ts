import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()

const images = ['/images/one-chunk.png', '/images/chunk-and-byte.png', '/images/middle.png', '/images/large.png']
const files = ['/files/spans.bin']
const script = '/scripts/app.js'
const clip = '/media/clip.mp4'
const shared = [...images, ...files, script, clip]

test('a second visitor has everything that the first holds without a body byte from the origin', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, shared)
  const second = await openVisitor(scene, site)
  await second.connected()
  site.count.reset()
  site.hold(shared)

  const inserted = await Promise.all(images.map((path) => second.insert('img', path)))
  expect(inserted).toEqual(images.map((path) => sha256Of(site.asset(path))))
  expect(await second.insert('script', script)).toBe(sha256Of(site.asset(script)))
  for (const path of files) expect((await second.load(path)).sha256, path).toBe(sha256Of(site.asset(path)))
  await second.play(clip)
  await second.play(clip, 18)
  expect((await second.load(clip)).sha256).toBe(sha256Of(site.asset(clip)))

  for (const path of shared) expect(site.count.bytes(path), path).toBe(0)
  expect((await second.stats()).bytes.origin).toBe(0)
})

test('a third visitor has its chunks from both others', async () => {
  const site = await openSite(scene)
  const paths = ['/images/large.png', '/files/spans.bin']
  await openSeeder(scene, site, paths)
  const second = await openVisitor(scene, site)
  await second.connected()
  for (const path of paths) await second.load(path)
  await second.untilStored(paths)
  const third = await openVisitor(scene, site)
  await third.untilNeighbours(2)
  site.count.reset()
  site.hold(paths)

  for (const path of paths) {
    expect((await third.load(path)).sha256, path).toBe(sha256Of(site.asset(path)))
    expect(site.count.bytes(path), path).toBe(0)
    const givers = new Set((await third.chunks(path)).map(({ peer }) => peer))
    expect(givers.size, path).toBe(2)
    expect(givers.has(undefined), path).toBe(false)
  }
})
