import { expect, test } from 'vitest'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { sitePage } from './harness/site-page.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()
const large = '/images/large.png'
const middle = '/images/middle.png'

test('what a page names for the next one is in the store when that comes, from a neighbour', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const links = [large, middle].map((path) => `<link rel="nearhand-prefetch" href="${path}">`).join('')
  const html = sitePage(`<script src="/nearhand.js" data-consent="granted" async></script>${links}`)
  site.answer('/first.html', () => new Response(html, { headers: { 'content-type': 'text/html' } }))
  const visitor = await openVisitor(scene, site, { path: '/first.html' })
  const got = async (): Promise<number> => (await visitor.stats()).prefetchedBytes.peers
  await expect.poll(got, { timeout: 30_000 }).toBe(site.asset(large).length)
  expect(site.count.bytes(middle), 'nobody but the origin has it').toBe(0)
  await visitor.goto('/')
  await visitor.connected()
  site.count.reset()
  await visitor.load(large)
  expect(site.count.bytes(large)).toBe(0)
  expect(new Set((await visitor.chunks(large)).map(({ source }) => source))).toEqual(new Set(['store']))
})
