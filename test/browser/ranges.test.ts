import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import type { Loaded, LoadOptions } from './harness/visitor.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()

/** One asset of whole storage, one of spans, one that the origin would compress. */
const paths = ['/images/large.png', '/files/spans.bin', '/scripts/app.js', '/images/one-chunk.png']

/** What both must say alike. `date` and the like are the server's own affair. */
const compared = [
  'accept-ranges',
  'cache-control',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'x-content-type-options',
]

test('ranges that the store answers are those of the origin', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, paths)
  site.count.reset()
  for (const path of paths) {
    await expectOriginsAnswers(site, path, (options) => visitor.load(path, options))
    expect(new Set((await visitor.chunks(path)).slice(-3).map(({ source }) => source))).toEqual(new Set(['store']))
  }
})

test('ranges that peers answer are those of the origin', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, paths)
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  for (const path of paths) {
    await expectOriginsAnswers(site, path, async (options) => {
      // With If-Range a page asks past the browser's cache (`no-store`), and so past the worker.
      const letGo = site.hold('if-range' in (options.headers ?? {}) ? [] : [path])
      const loaded = await visitor.load(path, options)
      letGo()
      return loaded
    })
    expect((await visitor.chunks(path)).some(({ source }) => source === 'origin')).toBe(false)
  }
})

test('ranges that the origin answers through the worker are its own', async () => {
  const site = await openSite(scene)
  const visitor = await openVisitor(scene, site)
  for (const path of paths) {
    await expectOriginsAnswers(site, path, (options) => visitor.load(path, options))
  }
})

test('a video is played and seeked on a second device without a body byte from the origin', async () => {
  const site = await openSite(scene)
  const clip = '/media/clip.mp4'
  await openSeeder(scene, site, [clip])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.count.reset()
  site.hold([clip])
  await visitor.play(clip)
  await visitor.play(clip, 20)
  await visitor.play(clip, 5)
  expect(site.count.bytes(clip)).toBe(0)
  expect((await visitor.chunks(clip)).some(({ source }) => source === 'peer')).toBe(true)
})

async function expectOriginsAnswers(
  site: Site,
  path: string,
  load: (options: LoadOptions) => Promise<Loaded>,
): Promise<void> {
  const { length } = site.asset(path)
  const etag = (await site.ask(path, { method: 'HEAD' })).headers['etag'] ?? ''
  for (const [name, headers] of rangeCases(length, etag)) {
    const own = await site.ask(path, { headers })
    const ours = await load({ headers })
    const view = ({ status, headers: all, sha256 }: Loaded): unknown => [
      status,
      sha256,
      compared.map((header) => `${header}: ${all[header]}`),
    ]
    expect(view(ours), `${path} ${name}`).toEqual(view(own))
    if (own.status === 200) expect(ours.sha256).toBe(sha256Of(site.asset(path)))
  }
}

function rangeCases(length: number, etag: string): readonly (readonly [string, Record<string, string>])[] {
  const last = length - 1
  const chunk = 64 * 1024
  const range = (value: string): Record<string, string> => ({ range: `bytes=${value}` })
  return [
    ['first byte', range('0-0')],
    ['first bytes', range('0-999')],
    ['last byte', range(`${last}-${last}`)],
    ['middle', range(`${length >> 1}-${(length >> 1) + 20_000}`)],
    ['across the end of a chunk', range(`${chunk - 10}-${chunk + 10}`)],
    ['suffix', range('-500')],
    ['suffix longer than the asset', range(`-${length + 5}`)],
    ['open-ended', range(`${length - 70_000}-`)],
    ['open-ended from the start', range('0-')],
    ['end beyond the end', range(`${length - 10}-${length + 10}`)],
    ['beyond the end', range(`${length}-`)],
    ['reversed', range('9-5')],
    ['malformed', range('a-b')],
    ['If-Range hit', { ...range('5-50'), 'if-range': etag }],
    ['If-Range miss', { ...range('5-50'), 'if-range': '"another"' }],
    ['no range', {}],
  ]
}
