import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()
const large = '/images/large.png'

test('a page with connections goes into the back/forward cache, and comes back with connections', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const visitor = await openVisitor(scene, site, { hasBackForwardCache: true })
  await visitor.connected()
  await visitor.page.evaluate(() => Object.assign(globalThis, { mark: 'of before' }))
  await visitor.page.evaluate(() => {
    addEventListener('pageshow', ({ persisted }) => Object.assign(globalThis, { persisted }))
  })
  await visitor.goto('/?next')
  await visitor.connected()
  // Playwright waits for a navigation that this is not.
  await visitor.page.evaluate(() => history.back())
  await visitor.page.waitForFunction(() => Reflect.has(globalThis, 'persisted'))
  const back = await visitor.page.evaluate(() => {
    const { mark, persisted } = globalThis as { mark?: string; persisted?: boolean }
    const [{ notRestoredReasons }] = performance.getEntriesByType('navigation') as unknown as [
      { notRestoredReasons?: unknown },
    ]
    return { mark, persisted, reasons: JSON.stringify(notRestoredReasons ?? null) }
  })
  expect(back).toEqual({ mark: 'of before', persisted: true, reasons: 'null' })
  await visitor.connected()
  site.count.reset()
  site.hold([large])
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(site.count.bytes(large)).toBe(0)
})
