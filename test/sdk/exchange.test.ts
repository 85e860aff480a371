import { afterEach, expect, test } from 'vitest'
import { listIndex } from '../../protocol/bridge.ts'
import { chunkCount, chunkLength, listLength } from '../../protocol/chunks.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { swarmIdSchema } from '../../protocol/ids.ts'
import { wordBurst } from '../../protocol/limits.ts'
import { parseValue } from '../../protocol/json.ts'
import { listKey } from '../../protocol/store-layout.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf, StoredDisk } from '../fakes/stored-disk.ts'
import { passFor } from '../protocol/passes.ts'
import { connect, Device, expectChunk, fingerprintOf, peerIdOf, RawPeer, swarm, wholeSite } from './exchange-scene.ts'

const MIB = 1024 * 1024
const devices: Device[] = []
afterEach(() => {
  for (const device of devices.splice(0)) device.close()
})

function scene() {
  const clock = new FakeClock()
  const device = (digit: string, swarms = wholeSite, disk?: StoredDisk): Device => {
    const made = new Device(peerIdOf(digit), clock, swarms, disk)
    devices.push(made)
    return made
  }
  return { clock, device }
}

async function seeded(content = contentOf(200_000), options = {}) {
  const disk = new StoredDisk()
  const asset = await disk.put(content, options)
  return { disk, asset, content }
}

const place = { section: '/', deadlineMs: 1000, promptMs: 1000, isUrgent: true }

test('Exchange gets a whole asset from another, list and chunks', async () => {
  const { device } = scene()
  const { disk, asset, content } = await seeded()
  const [seeder, viewer] = [device('a', wholeSite, disk), device('b')]
  await connect(seeder, viewer)

  const found = viewer.ask({ asset: asset.id, section: '/' })
  expect(await viewer.answer(found)).toEqual({ type: 'found', request: found, holders: 1 })
  const list = disk.entries.get(listKey(asset.id))
  const length = listLength(asset.size, asset.chunkSize)
  expectChunk(await viewer.answer(viewer.ask({ ...place, asset: asset.id, index: listIndex, length })), list ?? content)
  for (let index = 0; index < chunkCount(asset.size, asset.chunkSize); index += 1) {
    const chunk = content.slice(index * asset.chunkSize, (index + 1) * asset.chunkSize)
    const request = viewer.ask({ ...place, asset: asset.id, index, length: chunk.length })
    const answer = await viewer.answer(request)
    expectChunk(answer, chunk)
    expect(answer).toMatchObject({ peer: seeder.id })
  }
})

test('Exchange tells the page of peers and of bytes both ways', async () => {
  const { clock, device } = scene()
  const { disk, asset, content } = await seeded(contentOf(1000))
  const [seeder, viewer] = [device('a', wholeSite, disk), device('b')]
  await connect(seeder, viewer)
  await viewer.answer(viewer.ask({ ...place, asset: asset.id, index: 0, length: 1000 }))
  await clock.advance(1000)
  const last = (of: Device) => of.told.findLast((message) => message.type === 'peers')
  expect(last(viewer)?.peers).toMatchObject([{ id: seeder.id, receivedBytes: content.length, sentBytes: 0 }])
  expect(last(seeder)).toMatchObject({ peers: [{ id: viewer.id, sentBytes: 1000 }], uploadedBytes: 1000 })
})

test('Exchange says at once that nobody has it', async () => {
  const { device } = scene()
  const [one, other] = [device('a'), device('b')]
  await connect(one, other)
  const { asset } = await seeded()
  const [found, read] = [
    one.ask({ asset: asset.id, section: '/' }),
    one.ask({ ...place, asset: asset.id, index: 0, length: 65_536 }),
  ]
  expect(await one.answer(found)).toEqual({ type: 'found', request: found, holders: 0 })
  expect(await one.answer(read)).toEqual({ type: 'miss', request: read, reason: 'nobody' })
})

test('Exchange finds what a peer stored meanwhile, and not what it dropped', async () => {
  const { clock, device } = scene()
  const disk = new StoredDisk()
  const [seeder, viewer] = [device('a', wholeSite, disk), device('b')]
  await connect(seeder, viewer)
  const asset = await disk.put(contentOf(500))
  disk.tell({ type: 'stored', asset })
  await clock.advance(250)
  expectChunk(await viewer.answer(viewer.ask({ ...place, asset: asset.id, index: 0, length: 500 })), contentOf(500))
  disk.tell({ type: 'dropped', id: asset.id })
  await clock.advance(250)
  const found = viewer.ask({ asset: asset.id, section: '/' })
  expect(await viewer.answer(found)).toMatchObject({ holders: 0 })
})

test('Exchange reads those chunks of a partial asset that the map shows', async () => {
  const { clock, device } = scene()
  const content = contentOf(9 * MIB)
  const { disk, asset } = await seeded(content, { spans: [2] })
  const [seeder, viewer] = [device('a', wholeSite, disk), device('b')]
  await connect(seeder, viewer)
  expect(await viewer.answer(viewer.ask({ asset: asset.id, section: '/' }))).toMatchObject({ holders: 1 })
  await rest()
  const read = (index: number) => {
    const length = chunkLength(asset.size, asset.chunkSize, index)
    return viewer.answer(viewer.ask({ ...place, asset: asset.id, index, length }))
  }
  const first = (2 * MIB) / asset.chunkSize
  expect(await read(0)).toMatchObject({ type: 'miss', reason: 'nobody' })
  expectChunk(await read(first), content.slice(2 * MIB, 2 * MIB + asset.chunkSize))

  disk.assets.length = 0
  const grown = await disk.put(content, { spans: [0, 2] })
  disk.tell({ type: 'stored', asset: grown })
  await clock.advance(500)
  expectChunk(await read(0), content.slice(0, asset.chunkSize))
})

test('Exchange leaves a peer alone with which it shares no swarm', async () => {
  const { device } = scene()
  const other = parseValue(swarmIdSchema, '6'.repeat(32), 'swarm')
  const { disk } = await seeded()
  const one = device('a', wholeSite, disk)
  const stranger = new RawPeer(peerIdOf('c'), one)
  stranger.say({ type: 'hello', version: 1, proofs: [other.slice(0, 16)], pass: passFor(fingerprintOf(stranger.id)) })
  await until(() => stranger.isClosed)
  expect(stranger.heard.map(({ type }) => type)).toEqual(['hello'])
  expect(one.gone).toEqual([[stranger.id, false]])
  expect(one.told.find(({ type }) => type === 'gone')).toMatchObject({ connection: 1 })
})

test('Exchange does not take one peer’s proof from another', async () => {
  const { device } = scene()
  const one = device('a')
  const [member, thief] = [new RawPeer(peerIdOf('c'), one), new RawPeer(peerIdOf('d'), one)]
  thief.say({ type: 'hello', version: 1, proofs: [await member.proof()], pass: passFor(fingerprintOf(thief.id)) })
  await until(() => thief.isClosed)
})

test('Exchange tells and gives nothing of a section that is not shared', async () => {
  const { device } = scene()
  const secret = parseValue(swarmIdSchema, '7'.repeat(32), 'swarm')
  const { disk, asset } = await seeded(contentOf(100), { section: '/members/' })
  const one = device('a', [...wholeSite, { section: '/members/', swarm: secret }], disk)
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.claim()
  await until(() => peer.heard.some(({ type }) => type === 'have'))
  expect(peer.heard.flatMap((frame) => (frame.type === 'have' ? frame.entries : []))).toEqual([])
  peer.say({ type: 'want', request: 1, asset: asset.id, index: 0, offset: 0, length: 100 })
  peer.say({ type: 'interest', asset: asset.id })
  await until(() => peer.heard.some(({ type }) => type === 'absent'))
  await rest()
  expect(peer.heard.some(({ type }) => type === 'map')).toBe(false)
})

test('Exchange neither tells nor gives where the visitor does not upload', async () => {
  const { device } = scene()
  const { disk, asset } = await seeded(contentOf(100))
  const one = device('a', wholeSite, disk)
  one.exchange.receive({ type: 'upload', bytesPerSecond: 0, bytesLeft: 1e9, day: 1 })
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.claim()
  peer.say({ type: 'want', request: 1, asset: asset.id, index: 0, offset: 0, length: 100 })
  await until(() => peer.heard.some(({ type }) => type === 'busy'))
  expect(peer.heard.flatMap((frame) => (frame.type === 'have' ? frame.entries : []))).toEqual([])
  one.exchange.receive({ type: 'upload', bytesPerSecond: 1e6, bytesLeft: 1e9, day: 1 })
  await until(() => peer.heard.some((frame) => frame.type === 'have' && frame.entries.length === 1))
})

test('Exchange tells no map where the visitor does not upload, and tells it later', async () => {
  const { device } = scene()
  const { disk, asset } = await seeded(contentOf(9 * MIB), { spans: [0] })
  const one = device('a', wholeSite, disk)
  one.exchange.receive({ type: 'upload', bytesPerSecond: 0, bytesLeft: 1e9, day: 1 })
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.claim()
  peer.say({ type: 'interest', asset: asset.id })
  await rest()
  expect(peer.heard.some(({ type }) => type === 'map')).toBe(false)
  one.exchange.receive({ type: 'upload', bytesPerSecond: 1e6, bytesLeft: 1e9, day: 1 })
  await until(() => peer.heard.some(({ type }) => type === 'map'))
})

test('Exchange takes its list back when the day’s share is given', async () => {
  const { clock, device } = scene()
  const { disk, asset } = await seeded(contentOf(16_384))
  const one = device('a', wholeSite, disk)
  one.exchange.receive({ type: 'upload', bytesPerSecond: 1e6, bytesLeft: 16_384, day: 1 })
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.claim()
  const lists = () => peer.heard.flatMap((frame) => (frame.type === 'have' ? [frame.entries.length] : []))
  await until(() => lists().length === 1)
  peer.say({ type: 'want', request: 1, asset: asset.id, index: 0, offset: 0, length: 16_384 })
  await until(() => peer.heard.some(({ type }) => type === 'data'))
  await clock.advance(500)
  expect(lists()).toEqual([1, 0])
})

test('Exchange counts also what a peer took that told nothing', async () => {
  const { clock, device } = scene()
  const { disk, asset } = await seeded(contentOf(100))
  const one = device('a', wholeSite, disk)
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.hello()
  peer.say({ type: 'want', request: 1, asset: asset.id, index: 0, offset: 0, length: 100 })
  await until(() => peer.heard.some(({ type }) => type === 'data'))
  await clock.advance(500)
  expect(one.told).toContainEqual({ type: 'peers', peers: [], uploadedBytes: 100 })
})

test('Exchange asks others also where it cannot open its store', async () => {
  const { device } = scene()
  const broken = new StoredDisk()
  broken.open = () => Promise.reject(new Error('the disk is gone'))
  const { disk, asset, content } = await seeded(contentOf(100))
  const [seeder, viewer] = [device('a', wholeSite, disk), device('b', wholeSite, broken)]
  await connect(seeder, viewer)
  expectChunk(await viewer.answer(viewer.ask({ ...place, asset: asset.id, index: 0, length: 100 })), content)
})

test('Exchange forgets older requests with a new port', async () => {
  const { device } = scene()
  const { asset } = await seeded(contentOf(100))
  const one = device('a')
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.claim(asset.id)
  one.ask({ ...place, asset: asset.id, index: 0, length: 100 })
  await until(() => peer.wants().length === 1)
  one.link().close()
  await until(() => peer.heard.some(({ type }) => type === 'cancel'))
})

test('Exchange takes silence for an answer to what it cannot read', async () => {
  const { device } = scene()
  const one = device('a')
  for (const message of [undefined, { type: 'later' }, { type: 'read', request: 1 }]) one.post(message)
  const { asset } = await seeded(contentOf(100))
  expect(await one.answer(one.ask({ asset: asset.id, section: '/' }))).toMatchObject({ holders: 0 })
})

test('Exchange lets go of everything when it stops', async () => {
  const { clock, device } = scene()
  const { disk, asset } = await seeded(contentOf(100))
  const one = device('a', wholeSite, disk)
  const peer = new RawPeer(peerIdOf('c'), one)
  await peer.claim(asset.id)
  one.ask({ ...place, asset: asset.id, index: 0, length: 100 })
  await until(() => peer.wants().length === 1)
  one.close()
  await clock.advance(100)
  expect(peer.isClosed).toBe(true)
  expect(disk.isClosed).toBe(true)
  expect(clock.waiting).toBe(0)
})

test('swarms of the page reach only the channels that come after', async () => {
  const { device } = scene()
  const one = device('a', [])
  const early = new RawPeer(peerIdOf('c'), one)
  one.exchange.receive({ type: 'swarms', swarms: [{ section: '/', swarm }], pass: passFor(fingerprintOf(one.id)) })
  const late = new RawPeer(peerIdOf('d'), one)
  await late.claim()
  early.say({ type: 'hello', version: 1, proofs: [await early.proof()], pass: passFor(fingerprintOf(early.id)) })
  await until(() => early.isClosed)
  expect(one.peers).toEqual([late.id])
})

test('Exchange gives nothing beyond the life of the word that allows it, nor where peers are off', async () => {
  const { clock, device } = scene()
  const { disk, asset, content } = await seeded(contentOf(1000), { path: '/films/a.mp4' })
  const other = await disk.put(contentOf(900), { path: '/b.png' })
  const [seeder, viewer] = [device('a', wholeSite, disk), device('b')]
  await connect(seeder, viewer)
  const holders = async (id: ContentId): Promise<unknown> => {
    const answer = await viewer.answer(viewer.ask({ asset: id, section: '/' }))
    return answer.type === 'found' && answer.holders
  }
  expect([await holders(asset.id), await holders(other.id)]).toEqual([1, 1])

  seeder.post({ type: 'rule', servesMs: 60_000, off: ['/films/'], isCutOff: false })
  await rest()
  expect([await holders(asset.id), await holders(other.id)]).toEqual([0, 1])

  seeder.post({ type: 'rule', servesMs: 1000, off: [], isCutOff: false })
  await rest()
  expect(await holders(asset.id)).toBe(1)
  await clock.advance(1001)
  const answer = await viewer.answer(viewer.ask({ ...place, asset: asset.id, index: 0, length: content.length }))
  expect(answer).toMatchObject({ type: 'miss' })
  expect(seeder.exchange.uploads.uploadedBytes).toBe(0)
})

test('Exchange tells what its worker believes, and hears once what its peers do', async () => {
  const { clock, device } = scene()
  const [one, other] = [device('a'), device('b')]
  one.post({ type: 'word', envelope: '{"seq":1}' })
  await rest()
  await connect(one, other)
  const heard = () => other.answers.flatMap((answer) => (answer.type === 'heard' ? [answer.envelope] : []))
  await until(() => heard().length === 1)
  one.post({ type: 'word', envelope: '{"seq":2}' })
  one.post({ type: 'word', envelope: '{"seq":1}' })
  await until(() => heard().length === 2)
  expect(heard()).toEqual(['{"seq":1}', '{"seq":2}'])

  // Anybody can make many.
  for (let at = 0; at < 50; at += 1) one.post({ type: 'word', envelope: `{"n":${at}}` })
  await rest()
  await clock.advance(0)
  expect(heard()).toHaveLength(wordBurst)
  // Those of a third are heard all the same: a flood must hide no contradiction.
  const third = device('c')
  third.post({ type: 'word', envelope: '{"seq":3}' })
  await rest()
  await connect(third, other)
  await until(() => heard().includes('{"seq":3}'))
})
