import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { noise, sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import type { Visitor } from './harness/visitor.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()

const spans = '/files/spans.bin'

/** A site of so many files that no visitor reads all of its catalogue ahead, with the asset in a bin far from the others. */
async function openLargeSite(): Promise<Site> {
  const site = await openSite(scene)
  await site.stop()
  for (const name of ['row', 't']) {
    await mkdir(join(site.folder, 'files', name))
    for (let at = 0; at < 300; at += 1)
      await writeFile(join(site.folder, 'files', name, `${at}.bin`), noise(10, at + 1))
  }
  await site.start()
  return site
}

/** How many parts of the manifest lie on the device. */
const partsOf = (visitor: Visitor): Promise<number> =>
  visitor.page.evaluate(async () => {
    const name = (await caches.keys()).find((key) => key.startsWith('nearhand-parts-'))
    return name === undefined ? 0 : (await (await caches.open(name)).keys()).length
  })

test('the origin is stopped: a visitor gets an asset from a neighbour, and from it the part of the catalogue that lists it', async () => {
  const site = await openLargeSite()
  await openSeeder(scene, site, [spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  await site.stop()
  const before = await partsOf(visitor)
  expect((await visitor.load(spans)).sha256).toBe(sha256Of(site.asset(spans)))
  expect(await partsOf(visitor)).toBeGreaterThan(before)
  expect((await visitor.stats()).bytes).toMatchObject({ origin: 0, peers: site.asset(spans).length })
})

test('the origin is there: parts of the catalogue come from a neighbour all the same', async () => {
  const site = await openLargeSite()
  await openSeeder(scene, site, [spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.count.reset()
  const before = await partsOf(visitor)
  expect((await visitor.load(spans)).sha256).toBe(sha256Of(site.asset(spans)))
  expect(await partsOf(visitor)).toBeGreaterThan(before)
  expect(site.count.requestsBelow('/.well-known/nearhand/parts/')).toBe(0)
})
