import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openSeeder } from './harness/visitor.ts'

const scene = useScene()
const large = '/images/large.png'

test('a new version of the worker goes on with the store of the one before', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  const script = await (await fetch(`${site.url}/nearhand-sw.js`)).text()
  const headers = { 'content-type': 'text/javascript', 'cache-control': 'no-cache' }
  site.answer('/nearhand-sw.js', () => new Response(`${script}\n// Another version`, { headers }))
  await visitor.page.evaluate(async () => {
    const changed = new Promise((resolve) => navigator.serviceWorker.addEventListener('controllerchange', resolve))
    await (await navigator.serviceWorker.ready).update()
    await changed
  })
  await visitor.untilAnswering()
  site.count.reset()
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(site.count.bytes(large)).toBe(0)
  expect((await visitor.chunks(large)).at(-1)?.source).toBe('store')
})
