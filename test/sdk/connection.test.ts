import { expect, test } from 'vitest'
import { candidatesPerPeer } from '../../protocol/limits.ts'
import type { SessionDescription } from '../../protocol/session-description.ts'
import { buildSdp } from '../../protocol/session-description.ts'
import type { Signal } from '../../protocol/tracker-wire.ts'
import { Connection } from '../../sdk/connection.ts'
import { FakeClock, rest } from '../fakes/clock.ts'

const description = (setup: SessionDescription['setup']): SessionDescription => ({
  iceUfrag: 'abcd',
  icePwd: 'a'.repeat(22),
  fingerprint: '0f'.repeat(32),
  setup,
})
const publicCandidate =
  'candidate:1 1 udp 1677729535 203.0.113.5 46154 typ srflx raddr 192.168.1.9 rport 46154 generation 0'
const localCandidate = 'candidate:2 1 udp 2122260223 192.168.1.9 46154 typ host'
const mdnsCandidate = 'candidate:3 1 udp 2122260223 7c1b3b6e-57a8-4d0c-9a4b-1d2c3e4f5a6b.local 46155 typ host'

/** RTCPeerConnection as far as a connection uses it. */
class FakePeerConnection extends EventTarget {
  readonly steps: string[] = []
  readonly candidates: string[] = []
  remoteSdp = ''
  connectionState = 'new'
  localDescription: { sdp: string } | undefined

  createDataChannel(label: string, options: object): object {
    this.steps.push(`channel ${label} ${JSON.stringify(options)}`)
    return {}
  }

  createOffer(): Promise<object> {
    return Promise.resolve({ sdp: buildSdp(description('actpass')) })
  }

  createAnswer(): Promise<object> {
    return Promise.resolve({ sdp: buildSdp(description('active')) })
  }

  setLocalDescription(local: { sdp: string }): Promise<void> {
    this.localDescription = local
    return Promise.resolve()
  }

  setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    this.steps.push(`remote ${type}`)
    this.remoteSdp = sdp
    return Promise.resolve()
  }

  addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    this.candidates.push(candidate)
    return Promise.resolve()
  }

  close(): void {
    this.steps.push('close')
  }

  find(candidate: string): void {
    this.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate: { candidate } }))
  }

  become(state: string): void {
    this.connectionState = state
    this.dispatchEvent(new Event('connectionstatechange'))
  }
}

function scene(isLan = true) {
  const clock = new FakeClock()
  const peer = new FakePeerConnection()
  const signals: Signal[] = []
  const happened: string[] = []
  const connection = new Connection({
    clock,
    isLan,
    createPeer: () => peer as unknown as RTCPeerConnection,
    adopt: () => happened.push('adopted'),
    signal: (signal) => signals.push(signal),
    opened: () => happened.push('opened'),
    closed: () => happened.push('closed'),
  })
  return { clock, peer, signals, happened, connection }
}

test('Connection gives its channel away in the task that made it', () => {
  const { peer, happened } = scene()
  expect(peer.steps).toEqual(['channel nearhand {"negotiated":true,"id":0,"ordered":true}'])
  expect(happened).toEqual(['adopted'])
})

test('Connection offers by the few values of a description, and takes an answer once', async () => {
  const { connection, signals, peer } = scene()
  await connection.offer()
  expect(signals).toEqual([{ type: 'offer', description: description('actpass') }])
  await connection.accept({ type: 'answer', description: description('active') })
  expect(peer.remoteSdp).toBe(buildSdp(description('active')))
  await connection.accept({ type: 'answer', description: description('active') })
  expect(peer.steps.at(-1)).toBe('close')
})

test('Connection answers an offer', async () => {
  const { connection, signals, peer } = scene()
  await connection.answer(description('actpass'))
  expect(peer.steps.at(-1)).toBe('remote offer')
  expect(signals).toEqual([{ type: 'answer', description: description('active') }])
})

test.each(['active', 'passive'] as const)('Connection takes no offer that is %s', async (setup) => {
  const { connection, happened } = scene()
  await connection.answer(description(setup))
  expect(happened).toEqual(['adopted', 'closed'])
})

test('Connection tells its candidates together, without the address behind them', async () => {
  const { connection, clock, peer, signals } = scene()
  await connection.offer()
  for (let port = 1; port <= 12; port += 1) peer.find(publicCandidate.replaceAll('46154', String(port)))
  await clock.advance(20)
  expect(signals.slice(1).map((signal) => signal.type === 'candidates' && signal.candidates.length)).toEqual([10, 2])
  expect(JSON.stringify(signals)).not.toContain('192.168')
})

test('Connection neither tells nor takes local candidates outside of LAN mode', async () => {
  const { connection, clock, peer, signals } = scene(false)
  await connection.offer()
  for (const candidate of [localCandidate, mdnsCandidate, publicCandidate, 'nonsense', '']) peer.find(candidate)
  await clock.advance(20)
  expect(signals.slice(1)).toMatchObject([{ candidates: [expect.stringContaining('203.0.113.5')] }])
  await connection.accept({ type: 'answer', description: description('active') })
  await connection.accept({ type: 'candidates', candidates: [localCandidate, mdnsCandidate, publicCandidate] })
  expect(peer.candidates).toEqual([expect.stringContaining('203.0.113.5')])
})

test('Connection keeps candidates that come before the description, and not without end', async () => {
  const { connection, peer } = scene()
  await connection.offer()
  for (let round = 0; round < 10; round += 1) {
    await connection.accept({ type: 'candidates', candidates: Array.from({ length: 10 }, () => localCandidate) })
  }
  expect(peer.candidates).toEqual([])
  await connection.accept({ type: 'answer', description: description('active') })
  expect(peer.candidates).toHaveLength(candidatesPerPeer)
})

test('Connection gives up after five seconds, unless it stands', async () => {
  const [slow, quick] = [scene(), scene()]
  quick.peer.become('connected')
  await Promise.all([slow.clock.advance(5000), quick.clock.advance(5000)])
  expect(slow.happened).toEqual(['adopted', 'closed'])
  expect(quick.happened).toEqual(['adopted', 'opened'])
  quick.peer.become('failed')
  quick.connection.close()
  expect(quick.happened).toEqual(['adopted', 'opened', 'closed'])
})

test('Connection ends where the browser refuses what the other side said', async () => {
  const { connection, peer, happened } = scene()
  peer.setRemoteDescription = () => Promise.reject(new DOMException('no', 'OperationError'))
  await connection.answer(description('actpass'))
  await rest()
  expect(happened).toEqual(['adopted', 'closed'])
})
