import { expect, test } from 'vitest'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import { bufferedLimitBytes, unitBytes, uploadSlots, wantsPerPeer, yieldMs } from '../../protocol/limits.ts'
import type { PeerFrame } from '../../protocol/peer-wire.ts'
import type { UploadClient } from '../../sdk/uploads.ts'
import { Uploads } from '../../sdk/uploads.ts'
import { FakeClock, rest } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'

const asset = contentIdOfDigest(new Uint8Array(32))
const content = contentOf(262_144)

class Client implements UploadClient {
  bufferedAmount = 0
  isScope = true
  readonly sent: PeerFrame[] = []

  send(frame: PeerFrame): void {
    this.sent.push(frame)
  }

  isInScope(): boolean {
    return this.isScope
  }

  get types(): string[] {
    return this.sent.map(({ type }) => type)
  }
}

function scene(bytesPerSecond = 1_000_000, bytesLeft = 1e9) {
  const clock = new FakeClock()
  const uploads = new Uploads((_, index) => Promise.resolve(index === 0 ? content : undefined), clock)
  uploads.setLimit(bytesPerSecond, bytesLeft, 1)
  const want = (client: Client, request: number, from: { index?: number; offset?: number; length?: number } = {}) =>
    uploads.want(client, { type: 'want', request, asset, index: 0, offset: 0, length: unitBytes, ...from })
  return { clock, uploads, want }
}

test('Uploads gives what is held', async () => {
  const { want } = scene()
  const client = new Client()
  want(client, 1, { offset: 5, length: 10 })
  await rest()
  expect(client.sent).toEqual([{ type: 'data', request: 1, bytes: content.subarray(5, 15) }])
})

test('Uploads says the same to what is not held, out of scope, or beyond the end', async () => {
  const { want } = scene()
  const client = new Client()
  want(client, 1, { index: 1 })
  want(client, 2, { offset: 262_140, length: 10 })
  await rest()
  client.isScope = false
  want(client, 3)
  await rest()
  expect(client.sent).toEqual([1, 2, 3].map((request) => ({ type: 'absent', request })))
})

test('Uploads gives nothing where it is not allowed', async () => {
  const { want, uploads } = scene(0)
  const client = new Client()
  want(client, 1)
  await rest()
  expect(client.sent).toMatchObject([{ type: 'busy', request: 1 }])
  expect(uploads.isAllowed).toBe(false)
})

test('Uploads keeps to its rate', async () => {
  const { want, clock, uploads } = scene(100_000)
  const client = new Client()
  for (let request = 0; request < 4; request += 1) want(client, request)
  await clock.advance(0)
  expect(uploads.uploadedBytes).toBe(unitBytes)
  await clock.advance(1000)
  expect(uploads.uploadedBytes).toBe(unitBytes * 4)
})

test('Uploads refuses what would wait for more than half a second', async () => {
  const { want, clock } = scene(100_000)
  const [greedy, other] = [new Client(), new Client()]
  for (let request = 0; request < 10; request += 1) want(greedy, request)
  want(other, 0)
  expect(greedy.types).toContain('busy')
  expect(other.types).toEqual(['busy'])
  await clock.advance(2000)
  want(other, 1)
  await clock.advance(500)
  expect(other.types).toEqual(['busy', 'data'])
})

test('Uploads refuses a peer that has too many wants open', () => {
  const { want } = scene(1e9)
  const client = new Client()
  client.bufferedAmount = bufferedLimitBytes + 1
  for (let request = 0; request < wantsPerPeer + 3; request += 1) want(client, request, { length: 1 })
  expect(client.types).toEqual(['busy', 'busy', 'busy'])
})

test('Uploads ends with the day’s share', async () => {
  const { want, uploads } = scene(1e9, unitBytes * 2)
  const client = new Client()
  for (let request = 0; request < 3; request += 1) {
    want(client, request)
    await rest()
  }
  expect(client.types).toEqual(['data', 'data', 'busy'])
  expect(uploads.isAllowed).toBe(false)
})

test('Uploads keeps to the day’s share to the byte, with all that it owes', async () => {
  const { want, uploads, clock } = scene(1e9, unitBytes * 2 + 100)
  const client = new Client()
  for (let request = 0; request < wantsPerPeer; request += 1) want(client, request)
  await clock.advance(1000)
  expect(uploads.uploadedBytes).toBe(unitBytes * 2)
  expect(client.types.filter((type) => type === 'busy')).toHaveLength(wantsPerPeer - 2)
})

test('Uploads gives to another what was cancelled, left or not there', async () => {
  const { want, uploads, clock } = scene(1e9, unitBytes)
  const [fickle, gone, lost, patient] = [new Client(), new Client(), new Client(), new Client()]
  fickle.bufferedAmount = bufferedLimitBytes + 1
  gone.bufferedAmount = bufferedLimitBytes + 1
  want(fickle, 1)
  uploads.cancel(fickle, 1)
  want(gone, 1)
  uploads.leave(gone)
  want(lost, 1, { index: 1 })
  await clock.advance(0)
  want(patient, 1)
  await clock.advance(0)
  expect([lost.types, patient.types]).toEqual([['absent'], ['data']])
})

test('Uploads is told anew of what is left, and takes back nothing that it sent', async () => {
  const { want, uploads, clock } = scene(1e9, unitBytes * 3)
  const client = new Client()
  want(client, 1)
  await clock.advance(0)
  // The page heard nothing of the first unit yet.
  uploads.setLimit(1e9, unitBytes * 3, 1)
  for (const request of [2, 3, 4]) want(client, request)
  await clock.advance(0)
  expect(uploads.uploadedBytes).toBe(unitBytes * 3)
  expect(client.types).toContain('busy')
})

test('Uploads gives again on another day', async () => {
  const { want, uploads, clock } = scene(1e9, unitBytes)
  const client = new Client()
  for (const request of [1, 2]) want(client, request)
  await clock.advance(0)
  expect([client.types, uploads.isAllowed]).toEqual([['busy', 'data'], false])
  uploads.setLimit(1e9, unitBytes, 2)
  want(client, 3)
  await clock.advance(0)
  expect(client.types).toEqual(['busy', 'data', 'data'])
})

test('Uploads refuses what waits, and sends nothing more, where the limit becomes 0', async () => {
  const { want, uploads, clock } = scene(100_000)
  const client = new Client()
  for (const request of [1, 2, 3]) want(client, request)
  await clock.advance(0)
  uploads.setLimit(0, 1e9, 1)
  await clock.advance(60_000)
  expect(uploads.uploadedBytes).toBe(unitBytes)
  expect(client.types).toEqual(['data', 'busy', 'busy'])
})

test('Uploads does not send what it read while the limit became 0', async () => {
  const { want, uploads, clock } = scene()
  const client = new Client()
  want(client, 1)
  uploads.setLimit(0, 1e9, 1)
  await clock.advance(1000)
  expect(client.types).toEqual(['busy'])
})

test('Uploads goes on at once where the limit rises', async () => {
  const { want, uploads, clock } = scene(40_000)
  const client = new Client()
  for (const request of [1, 2]) want(client, request)
  await clock.advance(0)
  uploads.setLimit(1e9, 1e9, 1)
  await clock.advance(0)
  expect(client.types).toEqual(['data', 'data'])
})

test('Uploads serves peers in turn', async () => {
  const { want, clock } = scene(1_000_000)
  const order: string[] = []
  const [one, other] = [new Client(), new Client()]
  one.send = () => order.push('one')
  other.send = () => order.push('other')
  for (let request = 0; request < 4; request += 1) want(one, request)
  for (let request = 0; request < 2; request += 1) want(other, request)
  await clock.advance(1000)
  // The first left before the other had come.
  expect(order).toEqual(['one', 'one', 'other', 'one', 'other', 'one'])
})

test('Uploads waits for a channel that is full, and serves the others', async () => {
  const { want, uploads } = scene()
  const [slow, quick] = [new Client(), new Client()]
  slow.bufferedAmount = bufferedLimitBytes + 1
  want(slow, 1)
  want(quick, 1)
  await rest()
  expect([slow.sent.length, quick.sent.length]).toEqual([0, 1])
  slow.bufferedAmount = 0
  uploads.serve()
  await rest()
  expect(slow.types).toEqual(['data'])
})

test('Uploads drops what was cancelled, and all of a peer that went', async () => {
  const { want, uploads, clock } = scene(100_000)
  const [one, gone] = [new Client(), new Client()]
  want(one, 1)
  want(one, 2)
  want(gone, 1)
  uploads.cancel(one, 2)
  uploads.cancel(one, 99)
  uploads.leave(gone)
  await clock.advance(2000)
  expect(one.sent.map((frame) => 'request' in frame && frame.request)).toEqual([1])
  expect(gone.sent).toEqual([])
})

test('Uploads refuses others while the page loads something itself, for a while at most', async () => {
  const { want, uploads, clock } = scene(1e9)
  const client = new Client()
  uploads.yield(true)
  want(client, 1)
  uploads.yield(false)
  want(client, 2)
  await rest()
  uploads.yield(true)
  await clock.advance(yieldMs)
  want(client, 3)
  await rest()
  expect(client.types).toEqual(['busy', 'data', 'data'])
})

test('Uploads gives to some at a time, and to the others when they have it', async () => {
  const { want, clock } = scene(1e9)
  const clients = Array.from({ length: uploadSlots + 1 }, () => new Client())
  for (const client of clients) client.bufferedAmount = bufferedLimitBytes + 1
  for (const client of clients) want(client, 1)
  expect(clients.flatMap(({ types }) => types)).toEqual(['busy'])
  const [first] = clients
  const last = clients.at(-1)
  if (first === undefined || last === undefined) throw new Error('Cannot go on: no clients')
  for (const client of clients) client.bufferedAmount = 0
  want(first, 2)
  await clock.advance(100)
  want(last, 2)
  await clock.advance(100)
  expect(last.types).toEqual(['busy', 'data'])
})

test('Uploads gives nothing over a line that proved poor', async () => {
  const { want, clock } = scene(1e9)
  const client = new Client()
  let sent = 0
  client.send = (frame) => {
    client.sent.push(frame)
    if (frame.type === 'data') sent += frame.bytes.length
  }
  const begin = clock.now()
  // 25 KB/s leave.
  Object.defineProperty(client, 'bufferedAmount', { get: () => Math.max(0, sent - (clock.now() - begin) * 25) })
  for (let request = 0; request < 40; request += 1) {
    want(client, request)
    await clock.advance(200)
  }
  expect(client.sent.at(-1)).toMatchObject({ type: 'busy', retryAfterMs: 60_000 })
})
