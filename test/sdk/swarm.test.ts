import { expect, test } from 'vitest'
import { ProtocolError } from '../../protocol/errors.ts'
import type { JoinResponse } from '../../protocol/join.ts'
import { connectionsPerPage, dialsAtOnce, pushBurst } from '../../protocol/limits.ts'
import { peerIdOf, swarm as swarmId, wholeSite } from './exchange-scene.ts'
import { answerOf, offerOf, openSwarm, peers, self } from './swarm-scene.ts'

test('Swarm tells the exchange its swarms, joins them and seeks', async () => {
  const { told, welcome, sent } = await openSwarm()
  welcome()
  expect(told).toEqual([{ type: 'swarms', swarms: wholeSite, pass: 'a.b.c' }])
  expect(sent).toEqual([
    { type: 'join', version: 1, swarms: [swarmId], pass: 'a.b.c' },
    { type: 'seek', swarm: swarmId, count: 12 },
  ])
})

test('Swarm asks for the peers of the page before first, and once', async () => {
  const { clock, welcome, sent } = await openSwarm([], peers(2))
  welcome()
  await clock.advance(1000)
  expect(sent.slice(1)).toEqual([
    { type: 'seek', swarm: swarmId, count: 12, known: peers(2) },
    { type: 'seek', swarm: swarmId, count: 12 },
  ])
})

test('Swarm names nobody of the page before where relays hide its address (linking the pages of a visit)', async () => {
  const join = { pass: 'a.b.c', swarms: wholeSite, iceServers: [], lan: false, relay: true, renewSeconds: 3600 }
  const { sent, welcome } = await openSwarm([join], peers(2))
  welcome()
  expect(sent.filter(({ type }) => type === 'seek')).toEqual([{ type: 'seek', swarm: swarmId, count: 12 }])
})

test('Swarm seeks soon again at first, then every ten seconds, and not once it has enough', async () => {
  const { clock, welcome, seeks, introduce, connections } = await openSwarm()
  welcome()
  await clock.advance(1000)
  expect(seeks()).toBe(2)
  await clock.advance(2000)
  expect(seeks()).toBe(3)
  await clock.advance(9000)
  expect(seeks()).toBe(3)
  await clock.advance(1000)
  expect(seeks()).toBe(4)
  for (let from = 0; from < connectionsPerPage; from += 8) {
    introduce(peers(connectionsPerPage).slice(from, from + 8))
    for (const connection of connections) connection.open()
  }
  await clock.advance(60_000)
  expect(connections).toHaveLength(connectionsPerPage)
  expect(seeks()).toBe(4)
})

test('Swarm dials a few at a time, and no more than it keeps', async () => {
  const { welcome, introduce, connections } = await openSwarm()
  welcome()
  introduce(peers(12))
  introduce(peers(24).slice(12))
  expect(connections).toHaveLength(dialsAtOnce)
  connections[0]?.open()
  expect(connections).toHaveLength(dialsAtOnce + 1)
  connections[1]?.close()
  expect(connections).toHaveLength(dialsAtOnce + 2)
  for (let at = 2; at < 24; at += 1) connections[at]?.open()
  expect(connections.filter(({ isClosed }) => !isClosed)).toHaveLength(connectionsPerPage)
})

test('Swarm dials a peer again that did not answer, and rests before it follows the next introduction', async () => {
  const { welcome, introduce, connections, clock } = await openSwarm()
  const dialInVain = async (): Promise<void> => {
    introduce([peerIdOf('b')])
    for (let round = 0; round < 8; round += 1) {
      connections.at(-1)?.close()
      await clock.advance(5000)
    }
  }
  welcome()
  await dialInVain()
  expect(connections.map(({ steps }) => steps)).toEqual([1, 2, 3, 4].map(() => ['offer', 'close']))
  await dialInVain()
  expect(connections, 'introduced too soon').toHaveLength(4)
  await clock.advance(60_000)
  await dialInVain()
  expect(connections).toHaveLength(8)
})

test('Swarm dials a peer again whose connection opened and was of no use, or was lost', async () => {
  const { welcome, introduce, connections, clock } = await openSwarm()
  welcome()
  introduce([peerIdOf('b')])
  connections[0]?.open()
  await clock.advance(10_000) // the handshake that never came
  connections[0]?.close()
  await clock.advance(1000)
  expect(connections).toHaveLength(2)
  connections[1]?.open()
  await clock.advance(300_000)
  connections[1]?.close()
  for (let round = 0; round < 8; round += 1) {
    await clock.advance(5000)
    connections.at(-1)?.close()
  }
  expect(connections, 'most who leave are gone for good').toHaveLength(4)
})

test('Swarm does not end a connection where the exchange is done with the one before', async () => {
  const { welcome, hear, told, connections, swarm } = await openSwarm()
  welcome()
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  const numbers = told.flatMap((message) => (message.type === 'channel' ? [message.connection] : []))
  swarm.gone(peerIdOf('b'), numbers[0], false)
  expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, false])
  swarm.gone(peerIdOf('b'), numbers[1], false)
  expect(connections.map(({ isClosed }) => isClosed)).toEqual([true, true])
})

test('Swarm answers a peer that dials again, unless the connection stands', async () => {
  const { welcome, hear, connections } = await openSwarm()
  welcome()
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  connections[1]?.open()
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  expect(connections.map(({ steps }) => steps)).toEqual([['answer', 'close'], ['answer']])
})

test('Swarm gives the exchange each channel, and takes it back when the connection ends', async () => {
  const { welcome, introduce, connections, told } = await openSwarm()
  welcome()
  introduce([peerIdOf('b')])
  connections[0]?.close()
  expect(told.slice(1)).toEqual([
    { type: 'channel', connection: 1, peer: peerIdOf('b'), self, channel: {} },
    { type: 'drop', peer: peerIdOf('b') },
  ])
})

test('Swarm answers offers, and passes on what else is signalled', async () => {
  const { welcome, hear, connections, introduce } = await openSwarm()
  welcome()
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  hear({
    type: 'signal',
    from: peerIdOf('b'),
    signal: { type: 'candidates', candidates: ['candidate:1 1 udp 1 10.0.0.1 9 typ host'] },
  })
  introduce([peerIdOf('c')])
  hear({ type: 'signal', from: peerIdOf('c'), signal: answerOf('2') })
  hear({ type: 'signal', from: peerIdOf('d'), signal: answerOf('3') })
  expect(connections.map(({ steps }) => steps)).toEqual([
    ['answer', 'candidates'],
    ['offer', 'answer'],
  ])
})

test('Swarm lets the smaller id’s offer hold where both dialled', async () => {
  const { welcome, hear, introduce, connections } = await openSwarm()
  welcome()
  introduce([peerIdOf('2'), peerIdOf('b')])
  hear({ type: 'signal', from: peerIdOf('2'), signal: offerOf('1') })
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('2') })
  expect(connections.map(({ steps }) => steps)).toEqual([['offer', 'close'], ['offer'], ['answer']])
})

test('Swarm knows a peer by its certificate, whatever it is called', async () => {
  const { clock, welcome, hear, introduce, connections, bans, swarm } = await openSwarm()
  welcome()
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('1') })
  hear({ type: 'signal', from: peerIdOf('c'), signal: offerOf('1') })
  expect(connections, 'connected already').toHaveLength(1)

  swarm.gone(peerIdOf('b'), undefined, true)
  expect(connections[0]?.isClosed).toBe(true)
  expect(bans.count).toBe(1)
  hear({ type: 'signal', from: peerIdOf('d'), signal: offerOf('1') })
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('2') })
  introduce([peerIdOf('b')])
  expect(connections, 'banned').toHaveLength(1)

  introduce([peerIdOf('e')])
  hear({ type: 'signal', from: peerIdOf('e'), signal: answerOf('1') })
  expect(connections[1]?.isClosed).toBe(true)
  await clock.advance(30_000)
  expect(connections, 'nor dialled again').toHaveLength(2)
})

test('Swarm takes no more offers than it keeps connections, and not too many in a moment', async () => {
  const { welcome, hear, connections, clock } = await openSwarm()
  welcome()
  const all = peers(99)
  for (const [at, peer] of all.entries()) {
    const signal = offerOf('0')
    const fingerprint = at.toString(16).padStart(64, '0')
    if (signal.type === 'offer')
      hear({ type: 'signal', from: peer, signal: { ...signal, description: { ...signal.description, fingerprint } } })
    connections.at(-1)?.close()
  }
  expect(connections).toHaveLength(32)
  await clock.advance(1000)
  hear({ type: 'signal', from: peerIdOf('b'), signal: offerOf('f') })
  expect(connections).toHaveLength(33)
})

test('Swarm keeps its connections when the tracker goes, and seeks again when it is back', async () => {
  const { clock, welcome, introduce, connections, sockets, seeks } = await openSwarm()
  welcome()
  introduce([peerIdOf('b')])
  connections[0]?.open()
  sockets[0]?.closed()
  await clock.advance(1000)
  expect(connections[0]?.isClosed).toBe(false)
  const before = seeks()
  welcome()
  expect(seeks()).toBe(before + 1)
})

test('Swarm renews its join, and joins anew where the swarms changed', async () => {
  const first: JoinResponse = { pass: 'a.b.c', swarms: wholeSite, iceServers: [], lan: false, renewSeconds: 100 }
  const other = { ...first, swarms: [{ section: '/', swarm: '6'.repeat(32) as typeof swarmId }] }
  const { clock, sockets, told, joins, welcome } = await openSwarm([first, first, other])
  welcome()
  await clock.advance(100_000)
  expect([joins(), sockets.length]).toEqual([2, 1])
  await clock.advance(85_000)
  expect(sockets).toHaveLength(2)
  expect(told.at(-1)).toEqual({ type: 'swarms', swarms: other.swarms, pass: other.pass })
})

test('Swarm tries to join again when the origin is away or talks nonsense', async () => {
  const { clock, sockets, joins } = await openSwarm([
    new TypeError('Failed to fetch'),
    new ProtocolError('malformed', 'Cannot read join response'),
  ])
  expect(sockets).toHaveLength(0)
  await clock.advance(3000)
  expect([joins(), sockets.length]).toEqual([3, 1])
})

test('Swarm asks seldom where a policy forbids it to join for good', async () => {
  const { clock, joins } = await openSwarm(Array.from({ length: 100 }, () => new TypeError('refused by the policy')))
  await clock.advance(3_600_000)
  expect(joins()).toBeLessThan(30)
})

test('Swarm lets go of everything when it stops', async () => {
  const { clock, welcome, introduce, connections, swarm, sockets } = await openSwarm()
  welcome()
  introduce(peers(3))
  swarm.stop()
  expect(connections.every(({ isClosed }) => isClosed)).toBe(true)
  await clock.advance(100_000)
  expect([sockets.length, connections.length, clock.waiting]).toEqual([1, 3, 0])
})

test.each(['hang', 'deaf'] as const)(
  'Swarm gives up a join that does not answer (%s), and tries again',
  async (way) => {
    const { clock, joins, sockets } = await openSwarm([way])
    expect([joins(), sockets.length]).toEqual([1, 0])
    await clock.advance(10_000)
    await clock.advance(500)
    expect([joins(), sockets.length]).toEqual([2, 1])
  },
)

test('Swarm does without a peer where the browser makes no connection', async () => {
  const { clock, welcome, introduce, hear, connections, refuse } = await openSwarm()
  welcome()
  refuse(true)
  introduce([peerIdOf('b')])
  hear({ type: 'signal', from: peerIdOf('c'), signal: offerOf('1') })
  refuse(false)
  introduce([peerIdOf('d')])
  expect(connections.map(({ steps }) => steps)).toEqual([['offer']])
  await clock.advance(1000)
  expect(connections, 'the one that it could not dial').toHaveLength(2)
})

test('Swarm asks for a new pass at once where the tracker is back after joins that failed', async () => {
  const usual: JoinResponse = { pass: 'a.b.c', swarms: wholeSite, iceServers: [], lan: false, renewSeconds: 10 }
  const away = Array.from({ length: 9 }, () => new Error('away'))
  const { clock, joins, sockets, welcome } = await openSwarm([usual, ...away, usual])
  welcome()
  sockets.at(-1)?.closed()
  await clock.advance(60_000)
  const before = joins()
  expect(before).toBeGreaterThan(5)
  welcome()
  await clock.advance(1000)
  expect(joins()).toBe(before + 1)
})

test('Swarm stays away from the tracker where the site does not let the visitor in, and asks again minutes later', async () => {
  const { clock, joins, sockets } = await openSwarm(['no', 'no'])
  await clock.advance(200_000)
  expect([joins(), sockets.length]).toEqual([1, 0])
  await clock.advance(200_000)
  expect([joins(), sockets.length]).toEqual([2, 0])
  await clock.advance(200_500)
  expect([joins(), sockets.length]).toEqual([3, 1])
})

test('Swarm tells the worker what the tracker pushes, and no flood of it', async () => {
  const { clock, hear, welcome, toldWorker } = await openSwarm()
  welcome()
  const words = () => toldWorker.flatMap((message) => (message.type === 'nearhand:fresh' ? [message.envelope] : []))
  for (let at = 0; at < 100; at += 1) hear({ type: 'fresh', envelope: `${at}` })
  expect(words()).toHaveLength(pushBurst)
  await clock.advance(1000)
  hear({ type: 'fresh', envelope: 'later' })
  expect(words().at(-1)).toBe('later')
})
