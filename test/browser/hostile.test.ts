import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { startHostilePeer } from './harness/hostile-peer.ts'
import type { Misdeed } from './harness/misdeeds.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import type { Visitor } from './harness/visitor.ts'
import { openVisitor } from './harness/visitor.ts'

const scene = useScene()

const good = '/images/one-chunk.png'
const paths = ['/images/middle.png', '/images/large.png', '/scripts/app.js']
const later = '/files/spans.bin'

/** What the peers may take for one chunk before the origin is asked, and what two busy cores may add. */
const chunkDeadlineMs = 1000
const slackMs = 2000

const misdeeds: readonly Misdeed[] = [
  'flipped bit',
  "another asset's chunk",
  'truncated data',
  'over-long data',
  'unrequested data',
  'drip-fed chunk',
  'silence after the want',
  'absent though it claimed to have it',
  'garbage though it claimed to have it',
  'flood of malformed frames',
]

test.each(misdeeds)('a peer of one good chunk, then %s, changes no byte and holds nothing up', async (misdeed) => {
  const site = await openSite(scene)
  const alone = await openVisitor(scene, site, { path: '/ask.html' })
  const originOnlyMs = await timeOf(alone)

  const peer = await startHostilePeer(scene, site.url, site.assets, misdeed)
  const visitor = await openVisitor(scene, site)
  await visitor.connected()
  site.count.reset()
  expect((await visitor.load(good)).sha256).toBe(sha256Of(site.asset(good)))
  expect(site.count.bytes(good)).toBe(0)
  expect(peer.goodAnswers).toBeGreaterThan(0)

  const withPeerMs = await timeOf(visitor)
  expect(peer.misdeeds).toBeGreaterThan(0)
  for (const path of paths) {
    // Read once more, now from the store: what was wrong must not have been kept either.
    expect((await visitor.load(path)).sha256, path).toBe(sha256Of(site.asset(path)))
  }
  expect(withPeerMs).toBeLessThan(originOnlyMs + chunkDeadlineMs + slackMs)

  const before = peer.misdeeds
  expect((await visitor.load(later)).sha256).toBe(sha256Of(site.asset(later)))
  expect(peer.misdeeds, 'asked again').toBe(before)
})

async function timeOf(visitor: Visitor): Promise<number> {
  const start = performance.now()
  const loaded = await Promise.all(paths.map((path) => visitor.load(path)))
  const tookMs = performance.now() - start
  expect(loaded.map(({ sha256 }) => sha256)).toEqual(paths.map((path) => sha256Of(visitor.site.asset(path))))
  return tookMs
}
