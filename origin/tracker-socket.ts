import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { BlockList } from 'node:net'
import type { Duplex } from 'node:stream'
import * as v from 'valibot'
import type { RawData } from 'ws'
import { WebSocket, WebSocketServer } from 'ws'
import { ProtocolError } from '../protocol/errors.ts'
import type { PeerId } from '../protocol/ids.ts'
import { peerIdSchema } from '../protocol/ids.ts'
import { trackerFile } from '../protocol/join.ts'
import {
  trackerAddresses,
  trackerBufferedBytes,
  trackerCloseWaitMs,
  trackerConnections,
  trackerConnectionsPerAddress,
  trackerConnectsPerSecond,
  trackerJoinWaitMs,
  trackerMessageBurst,
  trackerMessageBytes,
  trackerMessagesPerSecond,
  trackerPingMs,
} from '../protocol/limits.ts'
import { manifestFolder } from '../protocol/manifest.ts'
import type { FromTracker, TrackerFault } from '../protocol/tracker-wire.ts'
import { parseToTracker } from '../protocol/tracker-wire.ts'
import { addressGroup, clientAddress, isUnknownProxy } from './client-address.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Effect, Tracker } from './tracker.ts'
import type { UpgradeServer } from './upgrade.ts'
import { ignoreUpgrade, isWebSocketRequest, refuseUpgrade } from './upgrade.ts'

export interface TrackerSocketOptions {
  /** The site's base: the tracker is in the manifest folder below it. */
  readonly base: string
  readonly isAllowedOrigin: (origin: string, host: string | undefined) => boolean
  /** Whether the page that connects is at localhost, where visitors share one address. */
  readonly isLocalPage: (origin: string) => boolean
  readonly proxies: BlockList
  readonly now: () => number
  readonly log: (line: string) => void
}

interface Connection {
  readonly socket: WebSocket
  readonly group: Group
  readonly bucket: TokenBucket
  readonly joinTimer: NodeJS.Timeout
  isAlive: boolean
}

/** Those of one address, or of one household with IPv6. */
interface Group {
  connections: number
  /** Of new connections: to come and go costs us more than it costs them. */
  readonly bucket: TokenBucket
}

/** Close codes of RFC 6455 section 7.4.1. */
const policyViolation = 1008
const serviceRestart = 1012

/** The tracker's edge: sockets in, texts out. It decides nothing but who may connect and who is too much. */
export class TrackerSocket {
  readonly #tracker: Tracker
  readonly #options: TrackerSocketOptions
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    // Compressed texts cost memory for each socket, and a few bytes can unfold to megabytes.
    perMessageDeflate: false,
    maxPayload: trackerMessageBytes,
  })
  readonly #connections = new Map<PeerId, Connection>()
  readonly #groups = new Map<string, Group>()
  readonly #detach: (() => void)[] = []
  readonly #pingTimer: NodeJS.Timeout
  #isStopping = false
  #isProxyNoticed = false

  constructor(tracker: Tracker, options: TrackerSocketOptions) {
    this.#tracker = tracker
    this.#options = options
    this.#pingTimer = setInterval(() => this.#ping(), trackerPingMs).unref()
  }

  attach(server: UpgradeServer): void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      if (isTrackerRequest(request, this.#options.base)) this.#upgrade(request, socket, head)
      // What nobody takes would hang.
      else if (server.listenerCount('upgrade') > 1) return
      else if (isWebSocketRequest(request)) refuseUpgrade(socket, '404 Not Found')
      else ignoreUpgrade(server, request, socket, head)
    }
    server.on('upgrade', onUpgrade)
    this.#detach.push(() => server.off('upgrade', onUpgrade))
  }

  /** Tells everybody who joined. */
  announce(message: FromTracker): void {
    this.#perform(this.#tracker.announce(message))
  }

  /** Tells every client that the tracker stops, and waits a moment for them to go. */
  async close(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#pingTimer)
    for (const detach of this.#detach) detach()
    const open = [...this.#connections.values()].map(({ socket }) => socket)
    const closed = open.map((socket) => once(socket, 'close'))
    for (const socket of open) this.#dismiss(socket, 'stopping', serviceRestart)
    const timer = setTimeout(() => open.forEach((socket) => socket.terminate()), trackerCloseWaitMs)
    await Promise.allSettled(closed)
    clearTimeout(timer)
    this.#server.close()
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A page of another site must not get to spend its visitors here; browsers cannot leave Origin out or forge it.
    const { origin } = request.headers
    if (origin === undefined || !this.#options.isAllowedOrigin(origin, request.headers.host)) {
      return refuseUpgrade(socket, '403 Forbidden')
    }
    const address = clientAddress(request, this.#options.proxies)
    this.#noticeProxy(request)
    const group = this.#groupOf(address)
    if (this.#isStopping || group === undefined || this.#connections.size >= trackerConnections) {
      return refuseUpgrade(socket, '503 Service Unavailable')
    }
    if (!group.bucket.take(this.#options.now()) || group.connections >= trackerConnectionsPerAddress) {
      return refuseUpgrade(socket, '429 Too Many Requests')
    }
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      this.#open(webSocket, address, group, this.#options.isLocalPage(origin))
    })
  }

  /** Without the addresses behind a proxy, all visitors look like one, who is not led to himself. Told once. */
  #noticeProxy(request: IncomingMessage): void {
    if (this.#isProxyNoticed || !isUnknownProxy(request, this.#options.proxies)) return
    this.#isProxyNoticed = true
    const address = request.socket.remoteAddress ?? ''
    this.#options.log(`A proxy at ${address} is not trusted: visitors look like one and cannot meet (--trust-proxy)`)
  }

  /** Undefined where too many are remembered already. */
  #groupOf(address: string): Group | undefined {
    const name = addressGroup(address)
    const known = this.#groups.get(name)
    if (known || this.#groups.size >= trackerAddresses) return known
    const bucket = new TokenBucket(trackerConnectionsPerAddress, trackerConnectsPerSecond, this.#options.now())
    const group = { connections: 0, bucket }
    this.#groups.set(name, group)
    return group
  }

  #open(socket: WebSocket, address: string, group: Group, isLocalPage: boolean): void {
    const id = v.parse(peerIdSchema, randomBytes(16).toString('hex'))
    const joinTimer = setTimeout(() => socket.terminate(), trackerJoinWaitMs).unref()
    const bucket = new TokenBucket(trackerMessageBurst, trackerMessagesPerSecond, this.#options.now())
    const connection = { socket, group, bucket, joinTimer, isAlive: true }
    this.#connections.set(id, connection)
    group.connections += 1
    socket.on('message', (payload, isBinary) => this.#receive(id, connection, isBinary ? '' : textOf(payload)))
    socket.on('pong', () => (connection.isAlive = true))
    // A frame against RFC 6455, or over the limit: ws closes the socket by itself.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed(id, connection))
    this.#perform(this.#tracker.open(id, address, isLocalPage))
  }

  #receive(id: PeerId, connection: Connection, text: string): void {
    const { socket, bucket, joinTimer } = connection
    if (socket.readyState !== WebSocket.OPEN) return
    if (!bucket.take(this.#options.now())) return this.#dismiss(socket, 'flood', policyViolation)
    try {
      const message = parseToTracker(text)
      if (message.type === 'join') clearTimeout(joinTimer)
      this.#perform(this.#tracker.receive(id, message))
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#options.log(`Cannot handle message: ${String(error)}`)
      this.#dismiss(socket, faultOf(error), policyViolation)
    }
  }

  #closed(id: PeerId, { group, joinTimer }: Connection): void {
    clearTimeout(joinTimer)
    this.#connections.delete(id)
    group.connections -= 1
    this.#tracker.close(id)
  }

  #perform(effects: readonly Effect[]): void {
    for (const { to, message } of effects) {
      const socket = this.#connections.get(to)?.socket
      if (socket?.readyState !== WebSocket.OPEN) continue
      // Who does not read would have us keep everything that others send.
      if (socket.bufferedAmount > trackerBufferedBytes) socket.terminate()
      else socket.send(JSON.stringify(message))
    }
  }

  /** A client that is gone without a word is noticed by the next round. */
  #ping(): void {
    const now = this.#options.now()
    for (const [name, { connections, bucket }] of this.#groups) {
      if (connections === 0 && bucket.isFull(now)) this.#groups.delete(name)
    }
    for (const connection of this.#connections.values()) {
      if (!connection.isAlive) connection.socket.terminate()
      connection.isAlive = false
      connection.socket.ping()
    }
  }

  #dismiss(socket: WebSocket, fault: TrackerFault, code: number): void {
    if (socket.readyState !== WebSocket.OPEN) return
    const message: FromTracker = { type: 'fault', fault }
    socket.send(JSON.stringify(message))
    socket.close(code, fault)
  }
}

/** Undecodable text is refused by ws itself (RFC 6455 section 8.1). */
function textOf(payload: RawData): string {
  return Buffer.isBuffer(payload) ? payload.toString('utf8') : ''
}

export function isTrackerRequest(request: IncomingMessage, base: string): boolean {
  return (
    isWebSocketRequest(request) && (request.url ?? '').split('?', 1)[0] === `${base}${manifestFolder}/${trackerFile}`
  )
}

function faultOf(error: unknown): TrackerFault {
  const code = error instanceof ProtocolError ? error.code : 'malformed'
  if (code === 'foreign') return 'foreign'
  return code === 'expired' || code === 'untrusted' ? 'pass' : 'malformed'
}
