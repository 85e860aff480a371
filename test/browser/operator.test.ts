import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { storageOf } from './harness/held-assets.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import { untilTrue } from './harness/until.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()
const large = '/images/large.png'
const spans = '/files/spans.bin'

/** What the origin says to whoever asks. */
async function mayHavePeers(site: Site): Promise<unknown> {
  const envelope = await (await fetch(`${site.url}/.well-known/nearhand/fresh.json`)).json()
  return JSON.parse(Buffer.from((envelope as { payload: string }).payload, 'base64').toString()).peers
}

test('the operator turns peers off for everybody at once, and on again for the pages that follow', async () => {
  const site = await openSite(scene)
  const seeder = await openSeeder(scene, site, [large, spans])
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  await site.switch({ peers: false })
  await untilTrue(visitor.page, async () => (await nearhand.stats()).peers.length === 0, undefined)
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect((await visitor.stats()).bytes.peers).toBe(0)
  await site.switch({ peers: true })
  await expect.poll(() => mayHavePeers(site)).toBe(true)
  // Pages without peers have no socket by which they could be told: their next page asks.
  for (const page of [seeder, visitor]) await page.goto('/')
  await visitor.untilNeighbours(1)
  site.hold([spans])
  expect((await visitor.load(spans)).sha256).toBe(sha256Of(site.asset(spans)))
})

test('what the operator takes down is gone from the store of each device', async () => {
  const site = await openSite(scene)
  const { id } = storageOf(site.asset(large))
  const visitor = await openSeeder(scene, site, [large])
  await site.switch({ takedowns: [{ id, path: large, at: Math.floor(Date.now() / 1000) }] })
  await untilTrue(visitor.page, async (gone) => (await globalThis.site.storedSpans(gone)) === 0, id)
})

test('the operator ends every worker: the site goes on as without it', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  await site.switch({ unregister: true })
  await expect.poll(() => visitor.registrations(), { timeout: 20_000 }).toBe(0)
  await visitor.goto('/')
  expect(await visitor.isAnsweredByWorker(large)).toBe(false)
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
})
