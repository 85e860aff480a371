import { expect, onTestFinished, test } from 'vitest'
import { unitBytes } from '../../protocol/limits.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf, StoredDisk } from '../fakes/stored-disk.ts'
import { Device, expectChunk, peerIdOf, RawPeer } from '../sdk/exchange-scene.ts'

const content = contentOf(unitBytes * 4)

async function twoHolders() {
  const clock = new FakeClock()
  const device = new Device(peerIdOf('a'), clock)
  onTestFinished(() => device.close())
  const { id: asset } = await new StoredDisk().put(content)
  const peers = [new RawPeer(peerIdOf('b'), device), new RawPeer(peerIdOf('c'), device)]
  for (const peer of peers) await peer.claim(asset)
  const request = device.ask({
    asset,
    section: '/',
    index: 0,
    length: content.length,
    deadlineMs: 5000,
    promptMs: 5000,
    isUrgent: true,
  })
  await until(() => peers.some((peer) => peer.wants().length === 4))
  const [first, second] = peers.toSorted((one, other) => other.wants().length - one.wants().length)
  if (first === undefined || second === undefined) throw new Error('Cannot test: nobody was asked')
  return { clock, device, request, first, second }
}

// Units of two peers put together could be blamed on neither, and one bad unit would spoil each try.
test.each(['goes silent', 'says it has no more', 'goes away'])(
  'a peer that poisons the beginning of a chunk and %s leaves nothing in the chunk of the next one',
  async (way) => {
    const { clock, device, request, first, second } = await twoHolders()
    const [one, , , last] = first.wants()
    first.say({ type: 'data', request: one?.request ?? 0, bytes: new Uint8Array(one?.length ?? 0).fill(66) })
    await rest()
    if (way === 'says it has no more') first.say({ type: 'absent', request: last?.request ?? 0 })
    if (way === 'goes away') first.close()
    for (let waited = 0; waited < 3000 && second.wants().length === 0; waited += 100) await clock.advance(100)
    let at = 0
    for (let want = second.wants()[0]; want; want = second.wants()[at]) {
      expect(want.offset, 'the whole chunk, from its beginning').toBe(
        second
          .wants()
          .slice(0, at)
          .reduce((sum, { length }) => sum + length, 0),
      )
      const bytes = content.subarray(want.offset, want.offset + want.length)
      second.say({ type: 'data', request: want.request, bytes })
      await rest()
      at += 1
    }
    expect(at).toBeGreaterThanOrEqual(4)
    const answer = await device.answer(request)
    expectChunk(answer, content)
    expect(answer).toMatchObject({ peer: second.id })
  },
)
