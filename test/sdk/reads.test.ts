import { afterEach, expect, test } from 'vitest'
import { readsInFlight, unitBytes } from '../../protocol/limits.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf, StoredDisk } from '../fakes/stored-disk.ts'
import { Device, expectChunk, peerIdOf, RawPeer } from './exchange-scene.ts'

const devices: Device[] = []
afterEach(() => {
  for (const device of devices.splice(0)) device.close()
})

const content = contentOf(unitBytes)

/** A visitor with so many peers that all claim the asset. The first is asked first. */
async function scene(count: number) {
  const clock = new FakeClock()
  const device = new Device(peerIdOf('a'), clock)
  devices.push(device)
  const { id: asset } = await new StoredDisk().put(content)
  const peers = Array.from({ length: count }, (_, at) => new RawPeer(peerIdOf('bcdef'.charAt(at)), device))
  for (const peer of peers) await peer.claim(asset)
  const read = (deadlineMs = 1000, isUrgent = true) =>
    device.ask({ asset, section: '/', index: 0, length: content.length, deadlineMs, promptMs: deadlineMs, isUrgent })
  const asked = () => peers.find((peer) => peer.wants().length > 0)
  return { clock, device, peers, asset, read, asked }
}

/** Answers the last want. */
function give(peer: RawPeer): void {
  const request = peer.wants().at(-1)?.request
  if (request !== undefined) peer.say({ type: 'data', request, bytes: content })
}

const other = (peers: readonly RawPeer[], than: RawPeer | undefined): RawPeer => {
  const found = peers.find((peer) => peer !== than)
  if (found === undefined) throw new Error('Cannot find another peer')
  return found
}

test.each(['busy', 'absent', 'closed'] as const)('Reads asks the next holder after %s', async (answer) => {
  const { device, peers, read, asked } = await scene(2)
  const request = read()
  await until(() => asked() !== undefined)
  const first = asked()
  const wanted = first?.wants()[0]?.request ?? 0
  if (answer === 'busy') first?.say({ type: 'busy', request: wanted, retryAfterMs: 100 })
  if (answer === 'absent') first?.say({ type: 'absent', request: wanted })
  if (answer === 'closed') first?.close()
  const second = other(peers, first)
  await until(() => second.wants().length > 0)
  give(second)
  expectChunk(await device.answer(request), content)
})

test('Reads asks the next holder after a stall', async () => {
  const { clock, device, peers, read, asked } = await scene(2)
  const request = read(5000)
  await until(() => asked() !== undefined)
  const first = asked()
  await clock.advance(700)
  const second = other(peers, first)
  expect(first?.heard.some(({ type }) => type === 'cancel')).toBe(true)
  give(second)
  expectChunk(await device.answer(request), content)
})

test('Reads asks each holder once, then says so', async () => {
  const { device, peers, read } = await scene(2)
  const request = read()
  for (let round = 0; round < 2; round += 1) {
    await until(() => peers.some((peer) => peer.wants().length > 0 && !peer.isClosed))
    for (const peer of peers) {
      const wanted = peer.wants()[0]?.request
      if (wanted !== undefined) peer.say({ type: 'busy', request: wanted, retryAfterMs: 100 })
    }
    await rest()
  }
  expect(await device.answer(request)).toEqual({ type: 'miss', request, reason: 'refused' })
  expect(peers.map((peer) => peer.wants().length)).toEqual([1, 1])
})

test('Reads is late at the deadline, all tries together, and cancels', async () => {
  const { clock, device, peers, read, asked } = await scene(1)
  const request = read(400)
  await until(() => asked() !== undefined)
  await clock.advance(400)
  expect(await device.answer(request)).toEqual({ type: 'miss', request, reason: 'late' })
  expect(peers[0]?.heard.at(-1)?.type).toBe('cancel')
})

test('Reads is late sooner for what the page came to wait for', async () => {
  const { clock, device, read, asked } = await scene(1)
  const request = read(5000, false)
  await until(() => asked() !== undefined)
  await clock.advance(200)
  device.post({ type: 'hurry', request, deadlineMs: 250 })
  await rest()
  await clock.advance(250)
  expect(await device.answer(request)).toEqual({ type: 'miss', request, reason: 'late' })
})

test('Reads gives nobody more time by hurrying', async () => {
  const { clock, device, read, asked } = await scene(1)
  const request = read(300, false)
  await until(() => asked() !== undefined)
  device.post({ type: 'hurry', request, deadlineMs: 60_000 })
  device.post({ type: 'hurry', request: request + 1, deadlineMs: 10 })
  await rest()
  await clock.advance(300)
  expect(await device.answer(request)).toMatchObject({ reason: 'late' })
})

test('Reads goes on asking a peer that was a little late', async () => {
  const { clock, device, peers, read, asked } = await scene(1)
  const [peer] = peers
  const first = read()
  await until(() => asked() !== undefined)
  if (peer) give(peer)
  await device.answer(first)
  const request = read(250)
  await until(() => peer?.wants().length === 2)
  await clock.advance(250)
  expect(await device.answer(request)).toMatchObject({ reason: 'late' })
  if (peer) give(peer) // it crossed the cancel
  const again = read()
  await until(() => peer?.wants().length === 3)
  if (peer) give(peer)
  expectChunk(await device.answer(again), content)
})

test('Reads rests a peer that nobody knows where it is too slow for the service worker', async () => {
  const { clock, device, peers, read, asked } = await scene(1)
  const request = read()
  await until(() => asked() !== undefined)
  await clock.advance(290)
  device.post({ type: 'cancel', request })
  await rest()
  await clock.advance(10)
  const again = read()
  await until(() => peers[0]?.wants().length === 2)
  await clock.advance(301)
  device.post({ type: 'cancel', request: again })
  await rest()
  const third = read()
  expect(await device.answer(third)).toMatchObject({ reason: 'nobody' })
})

test('Reads spares a peer whose chunk came in too late to be asked of it in earnest', async () => {
  const { clock, device, peers, read, asked } = await scene(2)
  const request = read(290)
  await until(() => asked() !== undefined)
  const first = asked()
  await clock.advance(150)
  first?.close()
  const second = other(peers, first)
  await until(() => second.wants().length > 0)
  await clock.advance(140)
  expect(await device.answer(request)).toMatchObject({ reason: 'late' })
  give(second) // it crossed the cancel
  const again = read()
  await until(() => second.wants().length > 1)
  give(second)
  expectChunk(await device.answer(again), content)
})

test('Reads withdraws what the service worker cancels', async () => {
  const { device, peers, read, asked } = await scene(1)
  const request = read()
  await until(() => asked() !== undefined)
  device.post({ type: 'cancel', request })
  await until(() => peers[0]?.heard.at(-1)?.type === 'cancel')
  if (peers[0]) give(peers[0])
  await rest()
  expect(device.answers).toEqual([])
})

test('Reads refuses more than it keeps, and what peers cannot give in time', async () => {
  const { device, asset, peers } = await scene(1)
  const length = 262_144
  const ask = (deadlineMs: number) =>
    device.ask({ asset, section: '/', index: 0, length, deadlineMs, promptMs: deadlineMs, isUrgent: true })
  const requests = Array.from({ length: 12 }, () => ask(900))
  await device.answer(requests.at(-1) ?? 0)
  // Of a peer that nobody tried yet, little at a time.
  expect(requests.findIndex((request) => device.answerTo(request) !== undefined)).toBe(1)
  expect(device.answerTo(requests[1] ?? 0)).toMatchObject({ reason: 'nobody' })

  const [peer] = peers
  for (let given = 0; device.answerTo(requests[0] ?? 0) === undefined; given += 1) {
    await until(() => (peer?.wants().length ?? 0) > given)
    const { request = 0, length: unit = 0 } = peer?.wants()[given] ?? {}
    peer?.say({ type: 'data', request, bytes: new Uint8Array(unit) })
    await rest()
  }
  const more = Array.from({ length: 12 }, () => ask(1000))
  await device.answer(more.at(-1) ?? 0)
  // At 2 MB/s: seven such chunks in a second.
  expect(more.findIndex((request) => device.answerTo(request) !== undefined)).toBe(7)

  const patient = Array.from({ length: readsInFlight }, () => ask(60_000))
  expect(await device.answer(patient.at(-1) ?? 0)).toMatchObject({ reason: 'refused' })
})
