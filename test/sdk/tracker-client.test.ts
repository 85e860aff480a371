import { expect, test } from 'vitest'
import { parseValue } from '../../protocol/json.ts'
import { swarmIdSchema } from '../../protocol/ids.ts'
import { parseToTracker } from '../../protocol/tracker-wire.ts'
import type { SocketEvents } from '../../sdk/tracker-client.ts'
import { TrackerClient } from '../../sdk/tracker-client.ts'
import { FakeClock } from '../fakes/clock.ts'

const swarm = parseValue(swarmIdSchema, '5'.repeat(32), 'swarm')
const self = 'a'.repeat(32)

function scene() {
  const clock = new FakeClock()
  const sockets: { events: SocketEvents; sent: string[]; isClosed: boolean }[] = []
  const happened: string[] = []
  const client = new TrackerClient(
    {
      clock,
      random: () => 1,
      openSocket(events) {
        const socket = { events, sent: [] as string[], isClosed: false }
        sockets.push(socket)
        return {
          send: (text) => socket.sent.push(JSON.stringify(parseToTracker(text).type)),
          close: () => {
            socket.isClosed = true
            events.closed()
          },
        }
      },
    },
    {
      welcomed: (id) => happened.push(`welcomed ${id}`),
      introduced: (peers) => happened.push(`introduced ${peers.length}`),
      signalled: (from, signal) => happened.push(`${signal.type} of ${from}`),
      pushed: (envelope) => happened.push(`pushed ${envelope}`),
      reached: (isReachable) => happened.push(isReachable ? 'reached' : 'lost'),
      refused: () => happened.push('refused'),
    },
  )
  return { clock, sockets, happened, client }
}

test('TrackerClient joins first, and speaks when it was welcomed', () => {
  const { client, sockets, happened } = scene()
  client.join([swarm], 'a.b.c')
  sockets[0]?.events.opened()
  client.seek(swarm, 5)
  sockets[0]?.events.received(JSON.stringify({ type: 'welcome', peer: self }))
  client.seek(swarm, 5)
  expect(sockets[0]?.sent).toEqual(['"join"', '"seek"'])
  expect(happened).toEqual(['reached', `welcomed ${self}`])
  expect(client.self).toBe(self)
})

test('TrackerClient comes back with growing pauses, and soon again after a good while', async () => {
  const { client, sockets, clock } = scene()
  client.join([swarm], 'a.b.c')
  for (const pauseMs of [500, 1000, 2000]) {
    sockets.at(-1)?.events.closed()
    const count = sockets.length
    await clock.advance(pauseMs - 1)
    expect(sockets).toHaveLength(count)
    await clock.advance(1)
    expect(sockets).toHaveLength(count + 1)
  }
  sockets.at(-1)?.events.opened()
  sockets.at(-1)?.events.received(JSON.stringify({ type: 'welcome', peer: self }))
  await clock.advance(20_000)
  sockets.at(-1)?.events.closed()
  const count = sockets.length
  await clock.advance(500)
  expect(sockets).toHaveLength(count + 1)
})

test('TrackerClient does not come back after it was stopped', async () => {
  const { client, sockets, clock } = scene()
  client.join([swarm], 'a.b.c')
  client.stop()
  expect(sockets[0]?.isClosed).toBe(true)
  await clock.advance(100_000)
  expect(sockets).toHaveLength(1)
  sockets[0]?.events.closed()
  await clock.advance(100_000)
  expect(sockets).toHaveLength(1)
})

test.each(['', 'null', '{"type":"welcome","peer":"me"}', '{"type":"run","code":"1"}'])(
  'TrackerClient ends a connection that says %j, and tries again',
  async (text) => {
    const { client, sockets, clock, happened } = scene()
    client.join([swarm], 'a.b.c')
    sockets[0]?.events.received(text)
    expect(sockets[0]?.isClosed).toBe(true)
    await clock.advance(500)
    expect(sockets).toHaveLength(2)
    expect(happened).toEqual([])
  },
)

test('TrackerClient tells when its swarms are not known', () => {
  const { client, sockets, happened } = scene()
  client.join([swarm], 'a.b.c')
  sockets[0]?.events.received(JSON.stringify({ type: 'fault', fault: 'foreign' }))
  expect(happened).toEqual(['refused'])
})

test('TrackerClient gives a connection up on which no welcome comes', async () => {
  const { client, sockets, clock } = scene()
  client.join([swarm], 'a.b.c')
  sockets[0]?.events.opened()
  await clock.advance(10_000)
  expect(sockets[0]?.isClosed).toBe(true)
  await clock.advance(500)
  expect(sockets).toHaveLength(2)
})

test.each([
  ['a second welcome', { type: 'welcome', peer: self }, 3],
  ['the same fault', { type: 'fault', fault: 'foreign' }, 6],
])('TrackerClient ends a connection that says %s again and again', async (_, message, most) => {
  const { client, sockets, clock, happened } = scene()
  client.join([swarm], 'a.b.c')
  for (let elapsedMs = 0; elapsedMs < 20_000; elapsedMs += 300) {
    sockets.at(-1)?.events.received(JSON.stringify(message))
    await clock.advance(300)
  }
  expect(sockets.length).toBeLessThanOrEqual(6)
  expect(happened.length / sockets.length).toBeLessThanOrEqual(most)
})

test('TrackerClient hands on what the tracker pushes, and tells when it is gone', () => {
  const { client, sockets, happened } = scene()
  client.join([swarm], 'a.b.c')
  sockets[0]?.events.received(JSON.stringify({ type: 'welcome', peer: self }))
  sockets[0]?.events.received(JSON.stringify({ type: 'fresh', envelope: '{}' }))
  sockets[0]?.events.closed()
  expect(happened).toEqual(['reached', `welcomed ${self}`, 'pushed {}', 'lost'])
})
