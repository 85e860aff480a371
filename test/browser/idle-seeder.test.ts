import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()
const path = '/files/spans.bin'
const freshSeconds = 10

test('a visitor who asks for nothing any more gives to those who bring a newer word', async () => {
  const site = await openSite(scene, { freshSeconds })
  const seeder = await openSeeder(scene, site, [path])
  const heldUntil = await seeder.page.evaluate(() => Date.now() + 12_000)
  // Meanwhile its word runs out, and nothing on this page asks for another.
  await seeder.page.waitForFunction((until) => Date.now() > until, heldUntil, { polling: 500, timeout: 30_000 })
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.count.reset()
  expect((await visitor.load(path)).sha256).toBe(sha256Of(site.asset(path)))
  expect((await visitor.stats()).bytes.peers).toBeGreaterThan(0)
})
