import { expect, test } from 'vitest'
import { isSameBytes } from '../../protocol/bytes.ts'
import { peerPatienceMs } from '../../protocol/limits.ts'
import type { Misdeed } from '../browser/harness/misdeeds.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from '../sw/made-asset.ts'
import type { MadeSite } from '../sw/made-site.ts'
import { makeSite } from '../sw/made-site.ts'
import { SwarmPeer, Visitor } from './evil-swarm-scene.ts'

const film = await makeAsset('/film.mp4', contentOf(2 * 1024 * 1024 + 17, 5))

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
]

/** One honest peer and nine that are not, all of whom say that they hold the film. */
async function evilSwarm(kinds: readonly Misdeed[]) {
  const site: MadeSite = await makeSite()
  await site.deploy([film])
  const visitor = await Visitor.open(site)
  const names = '123456789'
  for (let at = 0; at < names.length; at += 1) {
    const name = names.charAt(at)
    const peer = new SwarmPeer(visitor, name, film, kinds[at % kinds.length])
    await peer.claim(name)
  }
  const honest = new SwarmPeer(visitor, 'f', film)
  await honest.claim('f')
  const load = async (limitMs: number) => {
    const body = visitor.worker.get('/film.mp4').then(async (response) => new Uint8Array(await response.arrayBuffer()))
    return visitor.timed(body, limitMs)
  }
  return { site, visitor, load }
}

// What peers may cost one response is bounded, whoever they are: its patience, the list, and the steps of this clock.
const boundMs = peerPatienceMs * 4

test.each([['all that there is', misdeeds] as const, ...misdeeds.map((one) => [one, [one]] as const)])(
  'a swarm that is nine tenths evil changes no byte and holds nothing up: %s',
  async (_, kinds) => {
    const { visitor, load } = await evilSwarm(kinds)
    const { result, tookMs } = await load(60_000)
    expect(isSameBytes(result, film.content)).toBe(true)
    expect(tookMs).toBeLessThan(boundMs)
    await visitor.worker.store.settled()
    // What was kept is what was checked: read again, now without anybody else.
    visitor.device.close()
    const again = await load(60_000)
    expect(isSameBytes(again.result, film.content)).toBe(true)
  },
)

test.each(misdeeds)(
  'a swarm that is nine tenths evil never gives a wrong byte where the origin is gone: %s',
  async (misdeed) => {
    const { site, load } = await evilSwarm([misdeed])
    site.intercept = (path) =>
      path.endsWith('.mp4') || path.includes('/content/') ? Promise.reject(new TypeError('Failed to fetch')) : undefined
    const outcome = await load(60_000).then(
      ({ result }) => (isSameBytes(result, film.content) ? 'right' : 'wrong'),
      (error: unknown) => String(error), // the response breaks, as without us
    )
    expect(outcome).toMatch(/^right$|Failed to fetch|every source failed/)
  },
)
