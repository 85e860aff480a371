import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import type { ExchangeToWorker } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import type { ContentId } from '../../protocol/ids.ts'
import {
  earlyFrames,
  framesPerSecond,
  haveEntriesPerPeer,
  stuckLimitBytes,
  unitBytes,
  wantsPerPeer,
} from '../../protocol/limits.ts'
import type { HaveEntry, PeerFrame } from '../../protocol/peer-wire.ts'
import { swarmProof } from '../../protocol/peer-wire.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf, StoredDisk } from '../fakes/stored-disk.ts'
import { passFor } from '../protocol/passes.ts'
import { Device, expectChunk, fingerprintOf, peerIdOf, RawPeer, swarm, wholeSite } from './exchange-scene.ts'

const devices: Device[] = []
afterEach(() => {
  for (const device of devices.splice(0)) device.close()
})

/** A visitor, and a peer that completed the handshake, claimed an asset and gave one good chunk of it. */
async function scene(): Promise<{
  clock: FakeClock
  device: Device
  peer: RawPeer
  asset: ContentId
  content: Bytes
  read: (deadlineMs?: number) => Promise<{ request: number; answer: () => Promise<ExchangeToWorker> }>
}> {
  const clock = new FakeClock()
  const device = new Device(peerIdOf('a'), clock)
  devices.push(device)
  const content = contentOf(unitBytes * 2)
  const { id: asset } = await new StoredDisk().put(content)
  const peer = new RawPeer(peerIdOf('e'), device)
  await peer.claim(asset)
  const read = async (deadlineMs = 1000) => {
    const before = peer.wants().length
    const request = device.ask({
      asset,
      section: '/',
      index: 0,
      length: content.length,
      deadlineMs,
      promptMs: deadlineMs,
      isUrgent: true,
    })
    await until(() => peer.wants().length >= before + 2 || device.answerTo(request) !== undefined)
    return { request, answer: () => device.answer(request) }
  }
  const first = await read()
  for (const { request, offset, length } of peer.wants()) {
    peer.say({ type: 'data', request, bytes: content.subarray(offset, offset + length) })
  }
  expectChunk(await first.answer(), content)
  return { clock, device, peer, asset, content, read }
}

const lastWant = (peer: RawPeer): number => peer.wants().at(-1)?.request ?? 0

const violations: readonly (readonly [string, (peer: RawPeer) => readonly PeerFrame[] | Bytes])[] = [
  ['a second hello', () => [{ type: 'hello', version: 1, proofs: [], pass: '' }]],
  ['a truncated unit', (peer) => [{ type: 'data', request: lastWant(peer), bytes: new Uint8Array(unitBytes - 1) }]],
  ['an over-long unit', (peer) => [{ type: 'data', request: lastWant(peer), bytes: new Uint8Array(unitBytes + 1) }]],
  ['data that nobody asked for', () => [{ type: 'data', request: 0x70000000, bytes: new Uint8Array(10) }]],
  ['an answer to no request', () => [{ type: 'absent', request: 0x70000000 }]],
  [
    'a map that nobody asked for',
    (peer) => [{ type: 'map', asset: peer.wants()[0]?.asset ?? never(), scale: 0, count: 8, bits: Uint8Array.of(255) }],
  ],
  ['a list of another swarm', () => [{ type: 'have', proof: '0'.repeat(16), reset: true, entries: [] }]],
  ['a frame of no known type', () => Uint8Array.of(200, 1, 2, 3)],
  ['an empty message', () => new Uint8Array()],
  ['a message over the limit', () => new Uint8Array(100_000)],
]

test.each(violations)('a peer is banned for %s, and what it was asked for is free', async (_, misdeed) => {
  const { device, peer, read } = await scene()
  const pending = await read()
  const said = misdeed(peer)
  if (said instanceof Uint8Array) peer.sayBytes(said)
  else peer.say(...said)
  expect(await pending.answer()).toMatchObject({ type: 'miss' })
  expect(device.gone).toEqual([[peer.id, true]])
  await until(() => peer.isClosed)
  expect(device.peers).toEqual([])
})

test('a peer is banned that talks before it says hello', async () => {
  const device = new Device(peerIdOf('a'), new FakeClock())
  devices.push(device)
  const peer = new RawPeer(peerIdOf('e'), device)
  peer.say({ type: 'absent', request: 1 })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, true]])
})

test('a peer is banned that floods before we are ready', async () => {
  const device = new Device(peerIdOf('a'), new FakeClock())
  devices.push(device)
  const peer = new RawPeer(peerIdOf('e'), device)
  for (let frame = 0; frame <= earlyFrames; frame += 1) peer.sayBytes(Uint8Array.of(1))
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, true]])
})

test('a peer is banned that sends long frames before we are ready', async () => {
  const id = peerIdOf('e')
  const proof = await swarmProof(swarm, id)
  const device = new Device(peerIdOf('a'), new FakeClock())
  devices.push(device)
  const peer = new RawPeer(id, device)
  peer.say({ type: 'hello', version: 1, proofs: [proof], pass: passFor(fingerprintOf(id)) })
  for (let from = 0; from < 32_000; from += 2000)
    peer.say({ type: 'have', proof, reset: false, entries: entries(from, 2000) })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, true]])
})

test('a peer that never says hello is let go', async () => {
  const clock = new FakeClock()
  const device = new Device(peerIdOf('a'), clock)
  devices.push(device)
  const peer = new RawPeer(peerIdOf('e'), device)
  await clock.advance(10_000)
  expect(peer.isClosed).toBe(true)
  expect(device.gone).toEqual([[peer.id, false]])
})

test('a peer is banned that floods with small frames', async () => {
  const { device, peer } = await scene()
  for (let frame = 0; frame <= framesPerSecond * 2; frame += 1) peer.say({ type: 'cancel', request: frame })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, true]])
})

test('a peer is banned whose list never ends', async () => {
  const { device, peer, clock } = await scene()
  const proof = await peer.proof()
  for (let from = 0; from <= haveEntriesPerPeer; from += 1000) {
    peer.say({ type: 'have', proof, reset: false, entries: entries(from, 1000) })
    await clock.advance(100)
  }
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, true]])
})

test('a peer is banned that asks and does not read, before its answers fill our memory', async () => {
  const disk = new StoredDisk()
  const { id: asset } = await disk.put(contentOf(unitBytes))
  const rows = disk.assets.map((row) => ({ ...row, size: 2048 * row.chunkSize }))
  disk.assets.splice(0, 1, ...rows)
  const clock = new FakeClock()
  const device = new Device(peerIdOf('a'), clock, wholeSite, disk)
  devices.push(device)
  const peer = new RawPeer(peerIdOf('e'), device)
  await peer.claim()
  peer.theirs.isStuck = true
  for (let second = 0; second < 60 && !peer.isClosed; second += 1) {
    for (let frame = 0; frame < framesPerSecond - 1; frame += 1) peer.say({ type: 'interest', asset })
    await clock.advance(1000)
  }
  expect(device.gone).toEqual([[peer.id, true]])
  expect(peer.theirs.bufferedAmount).toBeLessThan(stuckLimitBytes * 1.1)
})

test('a channel that refuses to send ends one session, and what it was asked for is free', async () => {
  const { device, peer, read } = await scene()
  peer.theirs.send = () => {
    throw new Error('OperationError')
  }
  const { answer } = await read()
  expect(await answer()).toMatchObject({ type: 'miss' })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, false]])
})

test('a peer that wants too much at once is told that we are busy', async () => {
  const { disk, asset } = await stored()
  const device = new Device(peerIdOf('a'), new FakeClock(), wholeSite, disk)
  devices.push(device)
  device.exchange.receive({ type: 'upload', bytesPerSecond: unitBytes, bytesLeft: 1e9, day: 1 })
  const peer = new RawPeer(peerIdOf('e'), device)
  await peer.claim()
  for (let request = 0; request < wantsPerPeer * 2; request += 1) {
    peer.say({ type: 'want', request, asset, index: 0, offset: 0, length: unitBytes })
  }
  await rest()
  expect(peer.heard.filter(({ type }) => type === 'busy').length).toBeGreaterThan(wantsPerPeer)
  expect(device.gone).toEqual([])
})

test('a peer is banned whose bytes the service worker found wrong', async () => {
  const { device, peer, read } = await scene()
  const { request, answer } = await read()
  for (const want of peer.wants().slice(2)) {
    peer.say({ type: 'data', request: want.request, bytes: new Uint8Array(want.length) })
  }
  await answer()
  device.post({ type: 'blame', request, peer: peer.id })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[peer.id, true]])
})

test('blame reaches the page also after the peer has gone', async () => {
  const { device, peer } = await scene()
  peer.close()
  await until(() => device.gone.length === 1)
  device.post({ type: 'blame', request: 1, peer: peer.id })
  await until(() => device.gone.length === 2)
  expect(device.gone[1]).toEqual([peer.id, true])
})

test('a silent peer is given up at once for all that was asked of it, and rests', async () => {
  const { clock, device, asset, content, read } = await scene()
  const [one, other] = [
    await read(),
    device.ask({
      asset,
      section: '/',
      index: 0,
      length: content.length,
      deadlineMs: 5000,
      promptMs: 5000,
      isUrgent: true,
    }),
  ]
  await clock.advance(700)
  expect(await one.answer()).toMatchObject({ type: 'miss', reason: 'late' })
  expect(await device.answer(other)).toMatchObject({ type: 'miss', reason: 'late' })
  expect(await (await read()).answer()).toMatchObject({ type: 'miss', reason: 'nobody' })
  expect(device.gone).toEqual([])
})

test('a peer that drips rests, and is banned when it goes on with that', async () => {
  const { clock, device, peer, read } = await scene()
  for (let round = 0; round < 6; round += 1) {
    const pending = await read(30_000)
    await clock.advance(250)
    const want = peer.wants().at(-2)
    // One unit soon enough to look alive; the other one never comes.
    if (want) peer.say({ type: 'data', request: want.request, bytes: new Uint8Array(want.length) })
    await clock.advance(1500)
    expect(await pending.answer()).toMatchObject({ type: 'miss' })
    await clock.advance(60_000)
  }
  expect(device.gone).toEqual([[peer.id, true]])
})

test('a peer that denies what it claimed is not asked again', async () => {
  const { device, peer, asset, read } = await scene()
  const pending = await read()
  peer.say({ type: 'absent', request: lastWant(peer) })
  expect(await pending.answer()).toMatchObject({ type: 'miss', reason: 'refused' })
  expect(await (await read()).answer()).toMatchObject({ reason: 'nobody' })
  expect(await device.answer(device.ask({ asset, section: '/' }))).toMatchObject({ holders: 0 })
})

test('whatever bytes a peer sends end in nothing worse than its ban', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 80 }), { minLength: 1, maxLength: 5 }), async (messages) => {
      const device = new Device(peerIdOf('a'), new FakeClock())
      const peer = new RawPeer(peerIdOf('e'), device)
      await peer.claim()
      for (const message of messages) peer.sayBytes(Uint8Array.from(message))
      await rest()
      // Still answers its service worker.
      expect(await device.answer(device.ask({ asset: '0'.repeat(64) as ContentId, section: '/' }))).toMatchObject({
        type: 'found',
      })
      device.close()
    }),
    { numRuns: 60 },
  )
})

function entries(from: number, count: number): HaveEntry[] {
  return Array.from({ length: count }, (_, at) => ({ id: (from + at).toString(16).padStart(16, '0'), state: 'whole' }))
}

async function stored() {
  const disk = new StoredDisk()
  const { id } = await disk.put(contentOf(unitBytes))
  return { disk, asset: id }
}

function never(): never {
  throw new Error('Cannot be: nothing was asked')
}
