import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import * as v from 'valibot'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createPassCheck } from '../../origin/check-pass.ts'
import { trustedProxyList } from '../../origin/client-address.ts'
import { createOwnDialect, textsOf } from '../../origin/own-dialect.ts'
import { Tracker } from '../../origin/tracker.ts'
import type { TrackerSocketOptions } from '../../origin/tracker-socket.ts'
import { TrackerSocket } from '../../origin/tracker-socket.ts'
import type { PeerId, SwarmId } from '../../protocol/ids.ts'
import { swarmIdSchema } from '../../protocol/ids.ts'
import {
  trackerConnectionsPerAddress,
  trackerJoinWaitMs,
  trackerMessageBurst,
  trackerMessageBytes,
  trackerPingMs,
} from '../../protocol/limits.ts'
import type { FromTracker, ToTracker } from '../../protocol/tracker-wire.ts'
import { parseFromTracker } from '../../protocol/tracker-wire.ts'
import { claimsOf, passNow, trustOf, tokenOf } from '../protocol/passes.ts'
import { testKey } from '../protocol/signers.ts'

const pass = await tokenOf(claimsOf('0'.repeat(64)))
const swarm: SwarmId = v.parse(swarmIdSchema, 'a'.repeat(32))
const path = '/.well-known/nearhand/tracker'
const siteOrigin = 'https://www.example.org'

interface Running {
  readonly server: Server
  readonly tracker: Tracker
  readonly socket: TrackerSocket
  readonly port: number
  readonly log: string[]
}

async function start(options: Partial<TrackerSocketOptions> = {}): Promise<Running> {
  const log: string[] = []
  const tracker = new Tracker({
    lan: true,
    random: Math.random,
    now: () => passNow,
    sectionOf: (id) => (id === swarm ? '/' : undefined),
    checkPass: createPassCheck(trustOf()),
  })
  const socket = new TrackerSocket([createOwnDialect(tracker, '/')], {
    isAllowedOrigin: (origin) => origin === siteOrigin,
    isLocalPage: () => false,
    placeOf: (address) => ({ subnet: address, network: 0, country: 0 }),
    proxies: trustedProxyList([]),
    now: Date.now,
    log: (line) => log.push(line),
    ...options,
  })
  const server = createServer()
  socket.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await socket.close()
    server.close()
    server.closeAllConnections()
  })
  return { server, tracker, socket, log, port: (server.address() as AddressInfo).port }
}

/** A client that keeps what it hears, in order. */
class Client {
  readonly socket: WebSocket
  readonly closed: Promise<number>
  readonly #heard: FromTracker[] = []
  readonly #waiting: ((message: FromTracker) => void)[] = []

  constructor(port: number, headers: Record<string, string> = { origin: siteOrigin }, at = path) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${at}`, { headers })
    this.socket.on('message', (payload: Buffer) => {
      const message = parseFromTracker(payload.toString())
      const waiting = this.#waiting.shift()
      if (waiting) waiting(message)
      else this.#heard.push(message)
    })
    this.closed = new Promise((resolve) => this.socket.on('close', (code: number) => resolve(code)))
    this.socket.on('error', () => undefined)
  }

  next(): Promise<FromTracker> {
    const heard = this.#heard.shift()
    return heard ? Promise.resolve(heard) : new Promise((resolve) => this.#waiting.push(resolve))
  }

  send(message: ToTracker): void {
    this.socket.send(JSON.stringify(message))
  }

  /** Joins, and gives the name that the tracker gave. */
  async join(): Promise<PeerId> {
    const welcome = await this.next()
    if (welcome.type !== 'welcome') throw new Error(`Cannot join: told ${welcome.type} first`)
    this.send({ type: 'join', version: 1, swarms: [swarm], pass })
    return welcome.peer
  }
}

/** The status line that an upgrade is answered with. */
async function upgradeStatus(port: number, headers: Record<string, string>): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const lines = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', ...headers }
  const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${text.join('')}\r\n`)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return answer.toString().split('\r\n', 1)[0] ?? ''
}

afterEach(() => {
  vi.useRealTimers()
})

test('TrackerSocket introduces two clients and passes their signals on', async () => {
  const { port } = await start()
  const [ann, bob] = [new Client(port), new Client(port)]
  const annId = await ann.join()
  const bobId = await bob.join()
  bob.send({ type: 'seek', swarm, count: 12 })
  // Ann's join may still be on its way when Bob seeks.
  for (let told = await bob.next(); told.type === 'peers' && told.peers.length === 0; told = await bob.next()) {
    bob.send({ type: 'seek', swarm, count: 12 })
  }
  const description = {
    iceUfrag: 'abcd',
    icePwd: 'a'.repeat(22),
    fingerprint: '0'.repeat(64),
    setup: 'actpass',
  } as const
  bob.send({ type: 'signal', to: annId, signal: { type: 'offer', description } })
  expect(await ann.next()).toEqual({ type: 'signal', from: bobId, signal: { type: 'offer', description } })
})

test('TrackerSocket forgets a client that closes', async () => {
  const { port, tracker } = await start()
  const client = new Client(port)
  await client.join()
  expect(tracker.peerCount).toBe(1)
  client.socket.close()
  await client.closed
  await vi.waitFor(() => expect(tracker.peerCount).toBe(0))
})

test.each([
  ['no Origin', {}],
  ['a foreign Origin', { origin: 'https://evil.example' }],
  ['the Origin null', { origin: 'null' }],
  ['an empty Origin', { origin: '' }],
])('TrackerSocket refuses %s', async (_name, headers) => {
  const { port } = await start()
  expect(await upgradeStatus(port, headers)).toBe('HTTP/1.1 403 Forbidden')
})

test('TrackerSocket does not negotiate compression', async () => {
  const { port } = await start()
  const client = new Client(port)
  await client.next()
  expect(client.socket.extensions).toBe('')
})

test.each([
  ['no JSON', 'hello'],
  ['another type', '{"type":"announce"}'],
  ['another version', `{"type":"join","version":2,"swarms":["${swarm}"]}`],
  ['a peer id of its own', `{"type":"join","version":1,"swarms":["${swarm}"],"peer":"${'1'.repeat(32)}"}`],
  ['a seek before joining', `{"type":"seek","swarm":"${swarm}","count":1}`],
  ['a seek for too many', `{"type":"seek","swarm":"${swarm}","count":1000000}`],
  ['__proto__', '{"type":"join","__proto__":{"version":1}}'],
  ['depth', '['.repeat(8000)],
  ['a binary frame', Buffer.from(`{"type":"join","version":1,"swarms":["${swarm}"]}`)],
])('TrackerSocket closes with 1008 after %s', async (_name, payload) => {
  const { port, log } = await start()
  const client = new Client(port)
  await client.next()
  client.socket.send(payload)
  expect(await client.next()).toEqual({ type: 'fault', fault: 'malformed' })
  expect(await client.closed).toBe(1008)
  expect(log).toEqual([])
})

test('TrackerSocket tells of a foreign swarm', async () => {
  const { port } = await start()
  const client = new Client(port)
  await client.next()
  client.socket.send(JSON.stringify({ type: 'join', version: 1, swarms: ['b'.repeat(32)], pass }))
  expect(await client.next()).toEqual({ type: 'fault', fault: 'foreign' })
  expect(await client.closed).toBe(1008)
})

const fingerprint = '0'.repeat(64)
test.each([
  ['no', undefined, 'malformed'],
  ['an empty', '', 'malformed'],
  ['a garbled', 'a.b.c', 'malformed'],
  ['an expired', await tokenOf(claimsOf(fingerprint, { iat: passNow - 2000, exp: passNow - 1400 })), 'pass'],
  ['a future', await tokenOf(claimsOf(fingerprint, { iat: passNow + 2000, exp: passNow + 2600 })), 'pass'],
  ["another site's", await tokenOf(claimsOf(fingerprint, { aud: 'f'.repeat(32) })), 'foreign'],
  ["another key's", await tokenOf(claimsOf(fingerprint), await testKey(9)), 'pass'],
  ["another section's", await tokenOf(claimsOf(fingerprint, { scp: ['/live/'] })), 'pass'],
])('TrackerSocket refuses a client with %s pass', async (_, token, fault) => {
  const { port } = await start()
  const client = new Client(port)
  await client.next()
  client.socket.send(JSON.stringify({ type: 'join', version: 1, swarms: [swarm], pass: token }))
  expect(await client.next()).toEqual({ type: 'fault', fault })
  expect(await client.closed).toBe(1008)
})

test('TrackerSocket ends a thief, who has the pass but not the certificate', async () => {
  const { port } = await start()
  const [owner, thief] = [new Client(port), new Client(port)]
  const ownerId = await owner.join()
  await thief.join()
  let told: FromTracker
  do {
    thief.send({ type: 'seek', swarm, count: 12 })
    told = await thief.next()
  } while (told.type === 'peers' && told.peers.length === 0)
  const description = {
    iceUfrag: 'abcd',
    icePwd: 'a'.repeat(22),
    fingerprint: '1'.repeat(64),
    setup: 'actpass',
  } as const
  thief.send({ type: 'signal', to: ownerId, signal: { type: 'offer', description } })
  expect(await thief.next()).toEqual({ type: 'fault', fault: 'pass' })
  expect(await thief.closed).toBe(1008)
})

test('TrackerSocket ends a message over the limit before it is there', async () => {
  const { port } = await start()
  const client = new Client(port)
  await client.next()
  client.socket.send('x'.repeat(trackerMessageBytes + 1))
  expect(await client.closed).toBe(1009)
})

test('TrackerSocket closes a flood', async () => {
  const { port } = await start({ now: () => 0 })
  const client = new Client(port)
  await client.join()
  for (let sent = 0; sent < trackerMessageBurst; sent += 1) client.send({ type: 'seek', swarm, count: 1 })
  let last = await client.next()
  while (last.type === 'peers') last = await client.next()
  expect(last).toEqual({ type: 'fault', fault: 'flood' })
  expect(await client.closed).toBe(1008)
})

test('TrackerSocket counts connections by the address behind a trusted proxy', async () => {
  const { port } = await start({ proxies: trustedProxyList(['127.0.0.0/8']) })
  const from = (address: string) => ({ origin: siteOrigin, 'x-forwarded-for': address })
  const clients = Array.from({ length: trackerConnectionsPerAddress }, () => new Client(port, from('203.0.113.5')))
  await Promise.all(clients.map((client) => client.next()))
  expect(await upgradeStatus(port, from('203.0.113.5'))).toBe('HTTP/1.1 429 Too Many Requests')
  expect(await upgradeStatus(port, from('198.51.100.9, 203.0.113.5'))).toBe('HTTP/1.1 429 Too Many Requests')
  expect(await upgradeStatus(port, from('203.0.113.6'))).toContain('101')
  clients[0]?.socket.close()
  await clients[0]?.closed
  const again = async (): Promise<void> => expect(await upgradeStatus(port, from('203.0.113.5'))).toContain('101')
  await vi.waitFor(again, { timeout: 5000, interval: 300 })
})

test('TrackerSocket refuses an address that comes and goes too fast', async () => {
  const { port, tracker } = await start({ now: () => 0 })
  const statuses = new Set<string>()
  for (let tries = 0; tries < trackerConnectionsPerAddress; tries += 1) {
    statuses.add(await upgradeStatus(port, { origin: siteOrigin }))
  }
  expect([...statuses]).toEqual(['HTTP/1.1 101 Switching Protocols'])
  await vi.waitFor(() => expect(tracker.peerCount).toBe(0))
  expect(await upgradeStatus(port, { origin: siteOrigin })).toBe('HTTP/1.1 429 Too Many Requests')
})

test('TrackerSocket leaves other upgrades to others', async () => {
  const { server, port } = await start()
  server.on('upgrade', (request, socket) => {
    if (request.url === '/other') socket.end('HTTP/1.1 418 Mine\r\n\r\n')
  })
  const client = new Client(port, { origin: siteOrigin }, '/other')
  const [error] = (await once(client.socket, 'error')) as [Error]
  expect(error.message).toContain('418')
})

test('TrackerSocket refuses other WebSockets where nobody else listens for upgrades', async () => {
  const { port } = await start()
  const client = new Client(port, { origin: siteOrigin }, '/other')
  const [error] = (await once(client.socket, 'error')) as [Error]
  expect(error.message).toContain('404')
})

test('TrackerSocket leaves a wish for another protocol to the server, which ignores it', async () => {
  const { server, port } = await start()
  server.on('request', (request, response) => {
    request.setEncoding('utf8').on('data', (text) => response.end(`${request.url} ${request.headers.upgrade} ${text}`))
  })
  for (const at of ['/', path]) {
    const socket = connect(port, '127.0.0.1')
    const head = 'host: x\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 4'
    socket.write(`POST ${at} HTTP/1.1\r\n${head}\r\n\r\nbody`)
    const chunks: Buffer[] = await socket.toArray()
    expect(Buffer.concat(chunks).toString()).toContain(`${at} undefined body`)
  }
})

test('TrackerSocket lets those go who never join', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
  const { port } = await start()
  const [silent, joined] = [new Client(port), new Client(port)]
  await silent.next()
  await joined.join()
  joined.send({ type: 'seek', swarm, count: 1 })
  await joined.next()
  vi.advanceTimersByTime(trackerJoinWaitMs)
  expect(await silent.closed).toBe(1006)
  expect(joined.socket.readyState).toBe(WebSocket.OPEN)
})

test('TrackerSocket lets those go who do not answer a ping', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'] })
  const { port, tracker } = await start()
  const [dead, alive] = [new Client(port), new Client(port)]
  await dead.join()
  await alive.join()
  alive.send({ type: 'seek', swarm, count: 1 })
  await alive.next()
  vi.spyOn(dead.socket, 'pong').mockImplementation(() => undefined)
  vi.advanceTimersByTime(trackerPingMs)
  await once(alive.socket, 'ping')
  // The pong is answered by now: a message after it has been.
  alive.send({ type: 'seek', swarm, count: 1 })
  await alive.next()
  vi.advanceTimersByTime(trackerPingMs)
  expect(await dead.closed).toBe(1006)
  expect(alive.socket.readyState).toBe(WebSocket.OPEN)
  await vi.waitFor(() => expect(tracker.peerCount).toBe(1))
})

test('TrackerSocket.perform() reaches all who joined', async () => {
  const { port, socket, tracker } = await start()
  const client = new Client(port)
  await client.join()
  client.send({ type: 'seek', swarm, count: 1 })
  await client.next()
  socket.perform(textsOf(tracker.announce({ type: 'fresh', envelope: '{}' })))
  expect(await client.next()).toEqual({ type: 'fresh', envelope: '{}' })
})

test('TrackerSocket.perform() ends a client that reads nothing', async () => {
  const { port, socket, tracker } = await start()
  const client = new Client(port)
  await client.join()
  client.send({ type: 'seek', swarm, count: 1 })
  await client.next()
  client.socket.pause()
  const message = { type: 'fresh', envelope: 'x'.repeat(100_000) } as const
  // More than the machine's own buffers take.
  for (let sent = 0; sent < 300; sent += 1) socket.perform(textsOf(tracker.announce(message)))
  await vi.waitFor(() => expect(tracker.peerCount).toBe(0))
})

test('TrackerSocket.close() says why, and takes nobody any more', async () => {
  const { port, socket } = await start()
  const client = new Client(port)
  await client.join()
  const closing = socket.close()
  expect(await client.next()).toEqual({ type: 'fault', fault: 'stopping' })
  expect(await client.closed).toBe(1012)
  await closing
})
