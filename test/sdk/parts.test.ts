import { afterEach, describe, expect, test } from 'vitest'
import { partIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { partBurst, partLimitBytes, partTries, unitBytes } from '../../protocol/limits.ts'
import { partIndexOnWire } from '../../protocol/peer-wire.ts'
import { partKey } from '../../protocol/store-layout.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { connect, Device, expectChunk, peerIdOf, RawPeer } from './exchange-scene.ts'

// Bins and index pages between browsers: asked for by their id alone, whose length nobody knows.

const devices: Device[] = []
afterEach(() => {
  for (const device of devices.splice(0)) device.close()
})

function device(name: string, clock: FakeClock): Device {
  const made = new Device(peerIdOf(name), clock)
  devices.push(made)
  return made
}

const ask = (of: Device, asset: ContentId, deadlineMs = 1000): number => {
  const fixed = { section: '/', index: partIndex, length: partLimitBytes, isUrgent: true }
  return of.ask({ asset, deadlineMs, promptMs: deadlineMs, ...fixed })
}

async function pair() {
  const clock = new FakeClock()
  const [viewer, seeder] = [device('a', clock), device('b', clock)]
  await connect(viewer, seeder)
  return { clock, viewer, seeder }
}

/** What the service worker of a device has read of the manifest. */
async function keep({ disk }: Device, bytes: Bytes): Promise<ContentId> {
  const id = await contentIdOf(bytes)
  disk.entries.set(partKey(id), bytes)
  return id
}

/** A visitor with raw peers that finished the handshake and hold nothing. */
async function among(count: number) {
  const clock = new FakeClock()
  const viewer = device('a', clock)
  const peers = Array.from({ length: count }, (_, at) => new RawPeer(peerIdOf('bcdef'.charAt(at)), viewer))
  for (const peer of peers) await peer.claim()
  const asked = () => peers.filter((peer) => peer.wants().length > 0)
  return { clock, viewer, peers, asked }
}

describe('a part', () => {
  test.each([1, 3000, unitBytes - 1, unitBytes, unitBytes + 1, unitBytes * 2, partLimitBytes])(
    'of %i bytes comes whole from a peer that told of no asset',
    async (size) => {
      const { viewer, seeder } = await pair()
      const part = contentOf(size)
      const id = await keep(seeder, part)
      expectChunk(await viewer.answer(ask(viewer, id)), part)
      expect(viewer.gone).toEqual([])
    },
  )

  test('that nobody has is a miss, and nobody is the worse for it', async () => {
    const { viewer, seeder } = await pair()
    const id = await contentIdOf(contentOf(10))
    for (let at = 0; at < 5; at += 1) {
      expect(await viewer.answer(ask(viewer, id))).toMatchObject({ type: 'miss', reason: 'refused' })
    }
    const known = await keep(seeder, contentOf(20))
    expectChunk(await viewer.answer(ask(viewer, known)), contentOf(20))
  })

  test('without a peer is a miss at once', async () => {
    const viewer = device('a', new FakeClock())
    const answer = await viewer.answer(ask(viewer, await contentIdOf(contentOf(10))))
    expect(answer).toMatchObject({ type: 'miss', reason: 'nobody' })
  })

  test('is asked of a few peers, one after the other', async () => {
    const { viewer, peers, asked } = await among(5)
    const request = ask(viewer, await contentIdOf(contentOf(10)))
    const denied = new Set<RawPeer>()
    while (denied.size < partTries) {
      await until(() => asked().length > denied.size)
      for (const peer of asked().filter((one) => !denied.has(one))) {
        denied.add(peer)
        peer.say({ type: 'absent', request: peer.wants()[0]?.request ?? 0 })
      }
    }
    expect(await viewer.answer(request)).toMatchObject({ type: 'miss', reason: 'refused' })
    expect([asked().length, peers.some(({ isClosed }) => isClosed)]).toEqual([partTries, false])
  })

  test('that a site’s script altered on disk goes to nobody', async () => {
    const { viewer, seeder } = await pair()
    const id = await keep(seeder, contentOf(10))
    seeder.disk.entries.set(partKey(id), contentOf(10, 2))
    expect(await viewer.answer(ask(viewer, id))).toMatchObject({ type: 'miss' })
  })

  test('is given by nobody who may not serve', async () => {
    const { viewer, seeder } = await pair()
    const id = await keep(seeder, contentOf(10))
    seeder.post({ type: 'rule', servesMs: 0, off: [], isCutOff: false })
    await rest()
    expect(await viewer.answer(ask(viewer, id))).toMatchObject({ type: 'miss' })
  })
})

describe('a hostile peer', () => {
  test('that gives more of a part than was asked for is banned', async () => {
    const { viewer, peers, asked } = await among(1)
    ask(viewer, await contentIdOf(contentOf(10)))
    await until(() => asked().length === 1)
    const frame = new Uint8Array(5 + unitBytes + 1)
    frame[0] = 6 // data
    new DataView(frame.buffer).setUint32(1, peers[0]?.wants()[0]?.request ?? 0)
    peers[0]?.sayBytes(frame)
    await until(() => viewer.gone.length > 0)
    expect(viewer.gone).toEqual([[peers[0]?.id, true]])
  })

  test('that never ends a part is heard up to the limit of parts', async () => {
    const { viewer, peers, asked } = await among(1)
    const request = ask(viewer, await contentIdOf(contentOf(10)))
    await until(() => asked().length === 1)
    for (let at = 0; at < partLimitBytes / unitBytes; at += 1) {
      await until(() => (peers[0]?.wants().length ?? 0) > at)
      const next = peers[0]?.wants()[at]
      expect([next?.offset, next?.length]).toEqual([at * unitBytes, unitBytes])
      peers[0]?.say({ type: 'data', request: next?.request ?? 0, bytes: contentOf(unitBytes) })
    }
    const answer = await viewer.answer(request)
    expect(answer.type === 'chunk' && answer.bytes.byteLength).toBe(partLimitBytes)
  })

  test('that drips a part costs no more than its deadline', async () => {
    const { clock, viewer, peers, asked } = await among(1)
    const request = ask(viewer, await contentIdOf(contentOf(10)), 300)
    await until(() => asked().length === 1)
    peers[0]?.say({ type: 'data', request: peers[0].wants()[0]?.request ?? 0, bytes: contentOf(unitBytes) })
    await clock.advance(301)
    expect(await viewer.answer(request)).toMatchObject({ type: 'miss', reason: 'late' })
  })

  test('that asks for made-up parts has us look for a bounded number, and keeps the rest of its rights', async () => {
    const clock = new FakeClock()
    const seeder = device('a', clock)
    const peer = new RawPeer(peerIdOf('b'), seeder)
    await peer.claim()
    const id = await contentIdOf(contentOf(10))
    const looked = () => seeder.disk.reads.filter((key) => key === partKey(id)).length
    for (let request = 0; request < partBurst * 2; request += 1) {
      peer.say({ type: 'want', request, asset: id, index: partIndexOnWire, offset: 0, length: 10 })
      await rest()
    }
    await until(() => peer.heard.filter(({ type }) => type === 'absent').length === partBurst * 2)
    expect(looked()).toBe(partBurst)
    expect(peer.isClosed).toBe(false)
  })
})
