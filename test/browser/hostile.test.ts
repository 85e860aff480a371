import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import type { Misdeed } from './harness/misdeeds.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { startHostilePeer } from './harness/start-hostile-peer.ts'
import type { Visitor } from './harness/visitor.ts'
import { openVisitor } from './harness/visitor.ts'

const scene = useScene()

const good = '/images/one-chunk.png'
const paths = ['/images/middle.png', '/images/large.png', '/scripts/app.js']
const later = '/files/spans.bin'

/** What the peers may take for one chunk before the origin is asked, and what two busy cores may add. */
const chunkDeadlineMs = 1000
const slackMs = 2000

/** What no honest peer ever does ends in a ban; what a poor line may do to an honest one, in a rest. */
const misdeeds: readonly (readonly [Misdeed, 'banned' | 'rested'])[] = [
  ['flipped bit', 'banned'],
  ["another asset's chunk", 'banned'],
  ['truncated data', 'banned'],
  ['over-long data', 'banned'],
  ['unrequested data', 'banned'],
  ['drip-fed chunk', 'rested'],
  ['silence after the want', 'rested'],
  ['absent though it claimed to have it', 'rested'],
  ['garbage though it claimed to have it', 'banned'],
  ['flood of malformed frames', 'banned'],
]

test.each(misdeeds)(
  'a peer of one good chunk, then %s, changes no byte, holds nothing up and is %s',
  async (misdeed, outcome) => {
    const site = await openSite(scene)
    const alone = await openVisitor(scene, site, { path: '/ask.html' })
    const originOnlyMs = await timeOf(alone)

    const peer = await startHostilePeer(scene, site, misdeed)
    const visitor = await openVisitor(scene, site)
    await visitor.connected()
    site.count.reset()
    const letGo = site.hold([good])
    expect((await visitor.load(good)).sha256).toBe(sha256Of(site.asset(good)))
    expect(site.count.bytes(good)).toBe(0)
    letGo()
    expect((await peer.deeds()).goodAnswers).toBeGreaterThan(0)

    const withPeerMs = await timeOf(visitor)
    const { misdeeds: before } = await peer.deeds()
    expect(before).toBeGreaterThan(0)
    for (const path of paths) {
      // Read once more, now from the store: what was wrong must not have been kept either.
      expect((await visitor.load(path)).sha256, path).toBe(sha256Of(site.asset(path)))
    }
    expect(withPeerMs).toBeLessThan(originOnlyMs + chunkDeadlineMs + slackMs)

    expect((await visitor.load(later)).sha256).toBe(sha256Of(site.asset(later)))
    expect((await peer.deeds()).misdeeds, 'asked again').toBe(before)
    expect((await visitor.stats()).bannedPeers).toBe(outcome === 'banned' ? 1 : 0)
  },
)

test('a peer with the pass of another visitor is given nothing, and asked for nothing', async () => {
  const site = await openSite(scene)
  const thief = await startHostilePeer(scene, site, 'flipped bit', true)
  const visitor = await openVisitor(scene, site)
  await expect.poll(async () => (await thief.deeds()).isRefused, { timeout: 20_000 }).toBe(true)
  expect((await visitor.load(good)).sha256).toBe(sha256Of(site.asset(good)))
  expect(await thief.deeds()).toEqual({ goodAnswers: 0, misdeeds: 0, isRefused: true })
  expect(await visitor.stats()).toMatchObject({ peers: [], bannedPeers: 1, uploadedBytes: 0 })

  // With passes of their own, two visitors meet all the same.
  const other = await openVisitor(scene, site)
  await other.connected()
  expect((await other.stats()).bannedPeers).toBe(0)
})

async function timeOf(visitor: Visitor): Promise<number> {
  const start = performance.now()
  const loaded = await Promise.all(paths.map((path) => visitor.load(path)))
  const tookMs = performance.now() - start
  expect(loaded.map(({ sha256 }) => sha256)).toEqual(paths.map((path) => sha256Of(visitor.site.asset(path))))
  return tookMs
}
