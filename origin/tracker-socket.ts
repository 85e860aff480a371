import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import * as v from 'valibot'
import type { RawData } from 'ws'
import { WebSocket, WebSocketServer } from 'ws'
import { ProtocolError } from '../protocol/errors.ts'
import type { PeerId } from '../protocol/ids.ts'
import { peerIdSchema } from '../protocol/ids.ts'
import {
  trackerBufferedBytes,
  trackerCloseWaitMs,
  trackerJoinWaitMs,
  trackerMessageBurst,
  trackerMessagesPerSecond,
  trackerPingMs,
} from '../protocol/limits.ts'
import type { TrackerFault } from '../protocol/tracker-wire.ts'
import type { AdmissionOptions, Group } from './admission.ts'
import { Admission } from './admission.ts'
import type { Dialect, TextEffect } from './dialect.ts'
import type { Place } from './roster.ts'
import { TokenBucket } from './token-bucket.ts'
import type { UpgradeServer } from './upgrade.ts'
import { ignoreUpgrade, isWebSocketRequest, refuseUpgrade } from './upgrade.ts'

export interface TrackerSocketOptions extends AdmissionOptions {
  readonly isAllowedOrigin: (origin: string, host: string | undefined) => boolean
  /** Whether the page that connects is at localhost, where visitors share one address. */
  readonly isLocalPage: (origin: string) => boolean
  readonly placeOf: (address: string) => Place
}

interface Connection {
  readonly socket: WebSocket
  readonly dialect: Dialect
  readonly group: Group
  readonly bucket: TokenBucket
  readonly joinTimer: NodeJS.Timeout
  isAlive: boolean
}

/** Close codes of RFC 6455 section 7.4.1. */
const policyViolation = 1008
const serviceRestart = 1012

/** The trackers' edge: sockets in, texts out. It decides nothing but who may connect and who is too much. */
export class TrackerSocket {
  readonly #dialects: readonly Dialect[]
  readonly #options: TrackerSocketOptions
  readonly #admission: Admission
  readonly #server: WebSocketServer
  readonly #connections = new Map<PeerId, Connection>()
  readonly #detach: (() => void)[] = []
  readonly #pingTimer: NodeJS.Timeout
  #isStopping = false

  constructor(dialects: readonly Dialect[], options: TrackerSocketOptions) {
    this.#dialects = dialects
    this.#options = options
    this.#admission = new Admission(options)
    this.#server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // Compressed texts cost memory for each socket, and a few bytes can unfold to megabytes.
      perMessageDeflate: false,
      // Where one dialect takes more than another, that one's parser holds the limit.
      maxPayload: Math.max(...dialects.map(({ messageBytes }) => messageBytes)),
    })
    this.#pingTimer = setInterval(() => this.#ping(), trackerPingMs).unref()
  }

  attach(server: UpgradeServer): void {
    const onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
      const dialect = this.#dialects.find(({ path }) => isSocketRequest(request, path))
      if (dialect) this.#upgrade(dialect, request, socket, head)
      // What nobody takes would hang.
      else if (server.listenerCount('upgrade') > 1) return
      else if (isWebSocketRequest(request)) refuseUpgrade(socket, '404 Not Found')
      else ignoreUpgrade(server, request, socket, head)
    }
    server.on('upgrade', onUpgrade)
    this.#detach.push(() => server.off('upgrade', onUpgrade))
  }

  perform(effects: readonly TextEffect[]): void {
    for (const effect of effects) {
      const socket = this.#connections.get('to' in effect ? effect.to : effect.close)?.socket
      if (socket?.readyState !== WebSocket.OPEN) continue
      if ('close' in effect) socket.close(policyViolation)
      // Who does not read would have us keep everything that others send.
      else if (socket.bufferedAmount > trackerBufferedBytes) socket.terminate()
      else socket.send(effect.text)
    }
  }

  /** Tells every client that the tracker stops, and waits a moment for them to go. */
  async close(): Promise<void> {
    this.#isStopping = true
    clearInterval(this.#pingTimer)
    for (const detach of this.#detach) detach()
    const open = [...this.#connections.values()]
    const closed = open.map(({ socket }) => once(socket, 'close'))
    for (const connection of open) dismiss(connection, 'stopping', serviceRestart)
    const timer = setTimeout(() => open.forEach(({ socket }) => socket.terminate()), trackerCloseWaitMs)
    await Promise.allSettled(closed)
    clearTimeout(timer)
    this.#server.close()
  }

  #upgrade(dialect: Dialect, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A page of another site must not get to spend its visitors here; browsers cannot leave Origin out or forge it.
    const { host, origin } = request.headers
    const isAllowed = origin === undefined ? dialect.takesNoOrigin : this.#options.isAllowedOrigin(origin, host)
    if (!isAllowed) return refuseUpgrade(socket, '403 Forbidden')
    const admitted = this.#isStopping ? '503 Service Unavailable' : this.#admission.admit(request)
    if (typeof admitted === 'string') return refuseUpgrade(socket, admitted)
    const { address, group } = admitted
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      const isLocalPage = origin !== undefined && this.#options.isLocalPage(origin)
      const visitor = { address, place: this.#options.placeOf(address), isLocalPage }
      const [id, connection] = this.#take(webSocket, dialect, group)
      this.#handle(connection, () => dialect.open(id, visitor, queryOf(request)))
    })
  }

  #take(socket: WebSocket, dialect: Dialect, group: Group): [PeerId, Connection] {
    const id = v.parse(peerIdSchema, randomBytes(16).toString('hex'))
    const joinTimer = setTimeout(() => socket.terminate(), trackerJoinWaitMs).unref()
    const bucket = new TokenBucket(trackerMessageBurst, trackerMessagesPerSecond, this.#options.now())
    const connection = { socket, dialect, group, bucket, joinTimer, isAlive: true }
    this.#connections.set(id, connection)
    this.#admission.enter(group)
    socket.on('message', (payload, isBinary) => this.#receive(id, connection, isBinary ? '' : textOf(payload)))
    socket.on('pong', () => (connection.isAlive = true))
    // A frame against RFC 6455, or over the limit: ws closes the socket by itself.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#closed(id, connection))
    return [id, connection]
  }

  #receive(id: PeerId, connection: Connection, text: string): void {
    const { socket, dialect, bucket, joinTimer } = connection
    if (socket.readyState !== WebSocket.OPEN) return
    if (!bucket.take(this.#options.now())) return dismiss(connection, 'flood', policyViolation)
    this.#handle(connection, () => {
      const effects = dialect.receive(id, text)
      if (dialect.hasJoined(id)) clearTimeout(joinTimer)
      return effects
    })
  }

  #handle(connection: Connection, work: () => readonly TextEffect[]): void {
    try {
      this.perform(work())
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#options.log(`Cannot handle message: ${String(error)}`)
      dismiss(connection, faultOf(error), policyViolation)
    }
  }

  #closed(id: PeerId, { dialect, group, joinTimer }: Connection): void {
    clearTimeout(joinTimer)
    this.#connections.delete(id)
    this.#admission.leave(group)
    dialect.close(id)
  }

  /** A client that is gone without a word is noticed by the next round. */
  #ping(): void {
    this.#admission.sweep()
    for (const connection of this.#connections.values()) {
      if (!connection.isAlive) connection.socket.terminate()
      connection.isAlive = false
      connection.socket.ping()
    }
  }
}

function dismiss({ socket, dialect }: Connection, fault: TrackerFault, code: number): void {
  if (socket.readyState !== WebSocket.OPEN) return
  const text = dialect.farewell(fault)
  if (text !== undefined) socket.send(text)
  socket.close(code, fault)
}

/** Undecodable text is refused by ws itself (RFC 6455 section 8.1). */
function textOf(payload: RawData): string {
  return Buffer.isBuffer(payload) ? payload.toString('utf8') : ''
}

export function isSocketRequest(request: IncomingMessage, path: string): boolean {
  return isWebSocketRequest(request) && (request.url ?? '').split('?', 1)[0] === path
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  return new URLSearchParams(url.split('?').slice(1).join('?'))
}

function faultOf(error: unknown): TrackerFault {
  const code = error instanceof ProtocolError ? error.code : 'malformed'
  if (code === 'foreign') return 'foreign'
  return code === 'expired' || code === 'untrusted' ? 'pass' : 'malformed'
}
