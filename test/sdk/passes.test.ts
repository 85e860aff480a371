import { afterEach, expect, test } from 'vitest'
import { swarmIdSchema } from '../../protocol/ids.ts'
import { parseValue } from '../../protocol/json.ts'
import { clockSkewSeconds, passLimitBytes, passReturnMs, passSeconds, unitBytes } from '../../protocol/limits.ts'
import { openPass } from '../../protocol/pass.ts'
import type { PeerFrame } from '../../protocol/peer-wire.ts'
import { swarmProof } from '../../protocol/peer-wire.ts'
import type { StoredAsset } from '../../protocol/store-layout.ts'
import { FakeClock, rest, until } from '../fakes/clock.ts'
import { contentOf, StoredDisk } from '../fakes/stored-disk.ts'
import { claimsOf, passFor, passNow, tokenOf, trustOf } from '../protocol/passes.ts'
import { testKey } from '../protocol/signers.ts'
import { connect, Device, fingerprintOf, peerIdOf, RawPeer, wholeSite } from './exchange-scene.ts'

const devices: Device[] = []
afterEach(() => {
  for (const device of devices.splice(0)) device.close()
})

const id = peerIdOf('e')
const fingerprint = fingerprintOf(id)
const victim = fingerprintOf(peerIdOf('f'))

async function scene() {
  const clock = new FakeClock()
  const disk = new StoredDisk()
  const { id: asset } = await disk.put(contentOf(unitBytes))
  const device = new Device(peerIdOf('a'), clock, wholeSite, disk)
  devices.push(device)
  return { clock, device, disk, asset, peer: new RawPeer(id, device) }
}

/** Passes are checked in other threads: by the end of three checks that begin now, those before are done. */
async function checked(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await openPass(passFor(fingerprint), trustOf(), fingerprint, passNow)
  await rest()
}

const frameTypes = (peer: RawPeer): readonly PeerFrame['type'][] => peer.heard.map(({ type }) => type)

test.each([
  ['of another certificate (stolen, or of a machine in the middle)', passFor(victim), true],
  ["of another site's", passFor(fingerprint, { aud: 'f'.repeat(32) }), true],
  ['of an hour', passFor(fingerprint, { exp: passNow + 3600 }), true],
  ['that is none', '', true],
  ['of garbage', 'a.b.c', true],
  ['cut short', passFor(fingerprint).slice(0, -1), true],
  ['without end', `${'a'.repeat(passLimitBytes)}.b.c`, true],
  [
    'that is unsigned',
    await tokenOf(claimsOf(fingerprint), undefined, { alg: 'none', typ: 'nearhand-pass+jwt' }),
    true,
  ],
  ['of another key', await tokenOf(claimsOf(fingerprint), await testKey(9)), false],
  ['that expired', passFor(fingerprint, { iat: passNow - 2000, exp: passNow - 1400 }), false],
  ['of the future', passFor(fingerprint, { iat: passNow + 2000, exp: passNow + 2600 }), false],
  ['of another section', passFor(fingerprint, { scp: ['/live/'] }), false],
])('a peer with a pass %s is told nothing, given nothing, and let go', async (_, pass, isBanned) => {
  const { device, peer, asset } = await scene()
  peer.say({ type: 'hello', version: 1, proofs: [await peer.proof()], pass: pass.slice(0, passLimitBytes + 2) })
  peer.say({ type: 'want', request: 1, asset, index: 0, offset: 0, length: unitBytes })
  await until(() => peer.isClosed)
  expect(frameTypes(peer).filter((type) => type !== 'hello')).toEqual([])
  expect(device.gone).toEqual([[id, isBanned]])
  expect(device.exchange.uploads.uploadedBytes).toBe(0)
})

test('what one pass does not open is not shared, though both are in the swarm', async () => {
  const { device, peer } = await scene()
  const other = parseValue(swarmIdSchema, 'a'.repeat(32), 'swarm')
  const swarms = [...wholeSite, { section: '/members/', swarm: other }]
  device.exchange.receive({ type: 'swarms', swarms, pass: passFor(fingerprintOf(device.id)) })
  const late = new RawPeer(peerIdOf('d'), device)
  await late.claim()
  expect(peer.isClosed).toBe(false)
  expect(late.heard.filter(({ type }) => type === 'have')).toHaveLength(1)
})

test('a peer whose pass lacks a section is told absent of what is in it, and one whose pass names it is given it', async () => {
  const { device, disk } = await scene()
  const { id: asset } = await disk.put(contentOf(unitBytes, 7), { section: '/members/' })
  disk.tell({ type: 'stored', asset: disk.assets.at(-1) as StoredAsset })
  const other = parseValue(swarmIdSchema, 'a'.repeat(32), 'swarm')
  const swarms = [...wholeSite, { section: '/members/', swarm: other }]
  device.exchange.receive({ type: 'swarms', swarms, pass: passFor(fingerprintOf(device.id)) })
  const want: PeerFrame = { type: 'want', request: 1, asset, index: 0, offset: 0, length: unitBytes }
  // Both know the swarm, by whatever way.
  const ask = async (digit: string, scp: readonly string[]): Promise<readonly PeerFrame['type'][]> => {
    const peer = new RawPeer(peerIdOf(digit), device)
    const proofs = [await peer.proof(), await swarmProof(other, peer.id)]
    peer.say({ type: 'hello', version: 1, proofs, pass: passFor(fingerprintOf(peer.id), { scp }) })
    await until(() => frameTypes(peer).includes('have'))
    peer.say(want)
    await until(() => frameTypes(peer).some((type) => type === 'data' || type === 'absent'))
    return frameTypes(peer).filter((type) => type === 'data' || type === 'absent')
  }
  expect(await ask('b', ['/'])).toEqual(['absent'])
  expect(await ask('c', ['/', '/members/'])).toEqual(['data'])
})

test('the service worker is told of our own pass when it is linked, and of each newer one', async () => {
  const { device } = await scene()
  const first = passFor(fingerprintOf(device.id))
  await until(() => device.passes.length === 1)
  const second = passFor(fingerprintOf(device.id), { scp: ['/', '/members/'] })
  device.exchange.receive({ type: 'swarms', swarms: wholeSite, pass: second })
  await until(() => device.passes.length === 2)
  device.link().close()
  expect(device.passes).toEqual([first, second])
})

test('nobody is checked before the worker told the keys, nor greeted', async () => {
  const clock = new FakeClock()
  const device = new Device(peerIdOf('a'), clock, wholeSite, undefined, false)
  devices.push(device)
  const peer = new RawPeer(id, device)
  peer.say({ type: 'hello', version: 1, proofs: [await peer.proof()], pass: passFor(fingerprint) })
  await rest()
  expect(peer.heard).toEqual([])
  device.post({ type: 'passes', ...trustOf(), now: passNow })
  await until(() => frameTypes(peer).includes('have'))
  expect(device.gone).toEqual([])
})

test('a peer is checked against the certificate that was told first', async () => {
  const { device, peer } = await scene()
  device.exchange.receive({ type: 'certificate', peer: id, fingerprint: victim })
  peer.say({ type: 'hello', version: 1, proofs: [await peer.proof()], pass: passFor(victim) })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[id, true]])
})

test('a session ends with its pass, some minutes of grace included', async () => {
  const { clock, device, peer } = await scene()
  await peer.claim()
  await clock.advance((passSeconds + clockSkewSeconds - 1) * 1000)
  expect(peer.isClosed).toBe(false)
  await clock.advance(1000)
  expect(peer.isClosed).toBe(true)
  expect(device.gone).toEqual([[id, false]])
})

test('cut off from origin and tracker, peers keep each other for the grace of the site, and no longer', async () => {
  const { clock, device, peer } = await scene()
  await peer.claim()
  const graceMs = 2000 * 1000
  device.post({ type: 'rule', servesMs: graceMs, off: [], isCutOff: true })
  await rest()
  await clock.advance(graceMs - 1000)
  expect(peer.isClosed).toBe(false)
  await clock.advance(1000)
  expect(peer.isClosed).toBe(true)
})

test('once origin or tracker are back, a session whose pass ended has a moment for a new one', async () => {
  const { clock, device, peer } = await scene()
  await peer.claim()
  device.post({ type: 'rule', servesMs: 3_600_000, off: [], isCutOff: true })
  await rest()
  await clock.advance((passSeconds + clockSkewSeconds) * 1000)
  device.post({ type: 'rule', servesMs: 3_600_000, off: [], isCutOff: false })
  await rest()
  await clock.advance(passReturnMs)
  expect(peer.isClosed).toBe(false)
  await clock.advance(passReturnMs)
  expect(peer.isClosed).toBe(true)
})

test('a pass that ended opens no session, cut off or not', async () => {
  const { device, peer } = await scene()
  device.post({ type: 'rule', servesMs: 3_600_000, off: [], isCutOff: true })
  await rest()
  await peer.hello(passFor(fingerprint, { iat: passNow - 2000, exp: passNow - 1400 }))
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[id, false]])
})

test('a session goes on with a newer pass', async () => {
  const { clock, peer } = await scene()
  await peer.claim()
  await clock.advance(passSeconds * 1000)
  peer.say({ type: 'pass', pass: passFor(fingerprint, { iat: passNow + 500, exp: passNow + 1100 }) })
  await checked()
  await clock.advance((clockSkewSeconds + 100) * 1000)
  expect(peer.isClosed).toBe(false)
  await clock.advance(400_000)
  expect(peer.isClosed).toBe(true)
})

test.each([
  ['of another certificate', passFor(victim), true],
  ['of fewer sections', passFor(fingerprint, { scp: ['/live/'] }), false],
])('a session ends at a newer pass %s', async (_, pass, isBanned) => {
  const { device, peer } = await scene()
  await peer.claim()
  peer.say({ type: 'pass', pass })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[id, isBanned]])
})

test('a peer is banned that has us check passes without end', async () => {
  const { device, peer } = await scene()
  await peer.claim()
  for (let sent = 0; sent < 10; sent += 1) peer.say({ type: 'pass', pass: passFor(fingerprint) })
  await until(() => peer.isClosed)
  expect(device.gone).toEqual([[id, true]])
})

test('peers are shown a newer pass of ours', async () => {
  const { clock, device } = await scene()
  const other = new Device(peerIdOf('b'), clock)
  devices.push(other)
  await connect(device, other)
  await clock.advance(480_000)
  for (const one of [device, other]) {
    const pass = passFor(fingerprintOf(one.id), { iat: passNow + 500, exp: passNow + 1100 })
    one.exchange.receive({ type: 'swarms', swarms: wholeSite, pass })
  }
  await rest()
  await checked()
  await clock.advance((passSeconds + clockSkewSeconds - 480) * 1000)
  expect([device.gone.map(([peer]) => peer), other.gone]).toEqual([[id], []])
})

test('a session that ends while its pass is checked leaves nothing behind', async () => {
  const { clock, device, peer } = await scene()
  peer.say({ type: 'hello', version: 1, proofs: [await peer.proof()], pass: passFor(fingerprint) })
  await Promise.resolve()
  device.exchange.receive({ type: 'drop', peer: id })
  await checked()
  await clock.advance(1000)
  expect(device.peers).toEqual([])
  expect(clock.waiting).toBe(0)
})
