import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import type { Visitor } from './harness/visitor.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()
const path = '/files/spans.bin'
const freshSeconds = 10

/** Until the word that a page believes has run out. Nothing on the page asks for another meanwhile. */
async function untilRunOut({ page }: Visitor): Promise<void> {
  const end = await page.evaluate((ms) => Date.now() + ms, (freshSeconds + 2) * 1000)
  await page.waitForFunction((until) => Date.now() > until, end, { polling: 500 })
}

test('a visitor who asks for nothing any more goes on giving, for the tracker tells what holds', async () => {
  const site = await openSite(scene, { freshSeconds })
  const seeder = await openSeeder(scene, site, [path])
  await untilRunOut(seeder)
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  expect((await visitor.load(path)).sha256).toBe(sha256Of(site.asset(path)))
  expect((await visitor.stats()).bytes.peers).toBeGreaterThan(0)
})

test('for the grace, neighbours give each other what neither origin nor tracker can tell of any more', async () => {
  const site = await openSite(scene, { freshSeconds })
  await openSeeder(scene, site, [path])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  await visitor.untilAnswering()
  await site.stop()
  await untilRunOut(visitor)
  expect((await visitor.load(path)).sha256).toBe(sha256Of(site.asset(path)))
})
