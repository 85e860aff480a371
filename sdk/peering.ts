import { joinFile, parseJoinResponse, trackerFile } from '../protocol/join.ts'
import type { JoinRequest, JoinResponse } from '../protocol/join.ts'
import type { PeerId } from '../protocol/ids.ts'
import { manifestFolder } from '../protocol/manifest.ts'
import { describeSdp } from '../protocol/session-description.ts'
import type { Bans } from './bans.ts'
import type { Clock } from './clock.ts'
import { EarlySocket } from './early-socket.ts'
import { Connection } from './connection.ts'
import type { ExchangeHost } from './exchange-host.ts'
import { startExchange } from './exchange-host.ts'
import type { ExchangeToPage, PeerView } from './exchange-messages.ts'
import type { Locks } from './leadership.ts'
import { holdLifeLock } from './life-lock.ts'
import { configurePeer } from './peer-configuration.ts'
import { Swarm } from './swarm.ts'
import type { Socket, SocketEvents } from './tracker-client.ts'
import type { UploadDay } from './upload-day.ts'
import { WorkerLink } from './worker-link.ts'

export interface PeeringOptions {
  readonly clock: Clock
  readonly workerUrl: string
  /** The site's folder on its host. */
  readonly base: string
  /** Ends with `/`. */
  readonly trackerUrl: string
  /** Undefined: below the tracker's. */
  readonly joinUrl: string | undefined
  readonly joinCredentials: 'omit' | 'same-origin' | 'include'
  readonly bans: Bans
  readonly today: UploadDay
  /** Peers of the page before, to be connected to first. */
  readonly known: readonly PeerId[] | undefined
  readonly isRelayOnly: boolean
  readonly locks: Locks | undefined
  /** Bytes a second, now. */
  uploadLimit(): number
  /** The worker that answers this site's requests, now. */
  serviceWorker(): ServiceWorker | undefined
  /** `status` is another one. */
  readonly changed: () => void
  readonly failed: (error: unknown) => void
}

/** How the tab that holds the connections is doing. */
export interface PeeringStatus {
  /** Whether the service worker can ask the exchange. */
  readonly isLinked: boolean
  /** Those that can be asked. */
  readonly peers: readonly PeerView[]
  readonly bannedPeers: number
}

const certificateKey: EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' }

/** All that exists while this tab holds connections: the exchange, the swarm, the link to the service worker. */
export class Peering {
  readonly #options: PeeringOptions
  readonly #link: WorkerLink
  readonly #leaving = new AbortController()
  /** Free as soon as this tab is gone. */
  readonly #lifeLock: Promise<string | undefined>
  #host: ExchangeHost | undefined
  #swarm: Swarm | undefined
  #hasStopped = false
  #isLinked = false
  #peers: readonly PeerView[] = []
  #uploadedBytes = 0
  #day = 0

  constructor(options: PeeringOptions) {
    this.#options = options
    this.#lifeLock = holdLifeLock(options.locks, options.base, this.#leaving.signal)
    this.#link = new WorkerLink(
      options.clock,
      () => options.serviceWorker(),
      (port) => this.#host?.post({ type: 'link', port }, [port]),
      () => {
        this.#isLinked = true
        options.changed()
      },
    )
  }

  get status(): PeeringStatus {
    return {
      isLinked: this.#isLinked,
      peers: this.#peers,
      bannedPeers: this.#options.bans.count,
    }
  }

  async start(): Promise<void> {
    const { workerUrl, base, failed, joinUrl } = this.#options
    // All that takes a round trip begins at once: on the next page of a visit peers are back that much sooner.
    const trackerUrl = this.#folder.replace(/^http/, 'ws') + trackerFile
    const open = (events: SocketEvents): Socket => openSocket(trackerUrl, events, failed)
    // Where the site decides who may join, the tracker hears only of those who may.
    const early = joinUrl === undefined ? new EarlySocket(open) : undefined
    this.#leaving.signal.addEventListener('abort', () => early?.close())
    const identity = createIdentity()
    const join = identity.then(({ fingerprint }) => this.#fetchJoin(fingerprint, this.#leaving.signal))
    join.then(
      (joined) => joined ?? early?.close(),
      () => {}, // whoever asks for it is told
    )
    const host = await startExchange(workerUrl, base, { received: (message) => this.#receive(message), failed })
    if (this.#hasStopped) {
      host.close()
      return
    }
    this.#host = host
    this.limitUpload()
    this.relink()
    const known = await identity
    if (this.#hasStopped) return
    this.#swarm = this.#createSwarm(host, known, { open: (events) => early?.take(events) ?? open(events), join })
    await this.#swarm.start()
  }

  /** Links the service worker anew: another one controls the page, or it forgot us. */
  relink(): void {
    if (this.#host === undefined) return
    const link = async (): Promise<void> => this.#link.link(await this.#lifeLock)
    link().catch(this.#options.failed)
  }

  limitUpload(): void {
    const bytesPerSecond = this.#options.uploadLimit()
    const { day, leftBytes: bytesLeft } = this.#options.today
    this.#day = day
    this.#host?.post({ type: 'upload', bytesPerSecond, bytesLeft, day })
  }

  /** Closes everything at once. */
  stop(): void {
    this.#hasStopped = true
    this.#leaving.abort()
    if (this.#host) this.#link.unlink()
    this.#swarm?.stop()
    this.#host?.close()
    this.#host = undefined
    this.#isLinked = false
    this.#peers = []
  }

  #receive(message: ExchangeToPage): void {
    if (this.#hasStopped) return
    switch (message.type) {
      case 'started':
        break
      case 'peers':
        this.#peers = message.peers
        if (message.uploadedBytes > this.#uploadedBytes) {
          this.#options.today.add(message.uploadedBytes - this.#uploadedBytes)
          this.#uploadedBytes = message.uploadedBytes
        }
        if (this.#day !== this.#options.today.day) this.limitUpload()
        this.#options.changed()
        break
      case 'gone':
        this.#swarm?.gone(message.peer, message.connection, message.isBanned)
        if (message.isBanned) this.#options.changed()
    }
  }

  get #folder(): string {
    return `${this.#options.trackerUrl}${manifestFolder}/`
  }

  #createSwarm(host: ExchangeHost, { certificate, fingerprint }: Identity, early: Early): Swarm {
    const { clock, bans } = this.#options
    let firstJoin: Promise<JoinResponse | undefined> | undefined = early.join
    return new Swarm(
      {
        clock,
        random: Math.random,
        fetchJoin: (signal) => {
          const join = firstJoin ?? this.#fetchJoin(fingerprint, signal)
          firstJoin = undefined
          return join
        },
        openSocket: early.open,
        connect: (ports, join) => {
          const configuration = configurePeer(join, certificate, this.#options.isRelayOnly)
          return new Connection({ ...ports, createPeer: () => new RTCPeerConnection(configuration) })
        },
        tellWorker: (message) => this.#options.serviceWorker()?.postMessage(message),
        tellExchange: (message, transfer) => host.post(message, transfer),
      },
      bans,
      this.#options.known,
    )
  }

  /** Undefined where the visitor is not let in. */
  async #fetchJoin(fingerprint: string, signal: AbortSignal): Promise<JoinResponse | undefined> {
    const request: JoinRequest = { fingerprint }
    // As plain text, which needs no preflight where the tracker is another host.
    const body = JSON.stringify(request)
    // To the site's own host with its cookies, by which its backend may know whom it lets into guarded sections.
    const { joinUrl = this.#folder + joinFile, joinCredentials: credentials } = this.#options
    const response = await fetch(joinUrl, { method: 'POST', body, signal, credentials })
    if (response.status >= 400 && response.status < 500) return undefined
    if (!response.ok) throw new Error(`Cannot join: ${response.status}`)
    return parseJoinResponse(await response.text())
  }
}

/** What was begun before there was anybody to make use of it. */
interface Early {
  readonly open: (events: SocketEvents) => Socket
  readonly join: Promise<JoinResponse | undefined>
}

/** One certificate for all connections of this page: a ban outlives the id that the tracker gives. */
interface Identity {
  readonly certificate: RTCCertificate
  readonly fingerprint: string
}

async function createIdentity(): Promise<Identity> {
  const certificate = await RTCPeerConnection.generateCertificate(certificateKey)
  // Asked of an offer: Firefox has `RTCCertificate.getFingerprints()` since 138 only.
  const peer = new RTCPeerConnection({ certificates: [certificate] })
  peer.createDataChannel('')
  const { sdp = '' } = await peer.createOffer()
  peer.close()
  return { certificate, fingerprint: describeSdp(sdp).fingerprint }
}

function openSocket(url: string, events: SocketEvents, failed: (error: unknown) => void): Socket {
  const socket = new WebSocket(url)
  const guard = (step: () => void): void => {
    try {
      step()
    } catch (error) {
      failed(error)
    }
  }
  socket.onopen = () => guard(() => events.opened())
  socket.onclose = () => guard(() => events.closed())
  socket.onmessage = (event: MessageEvent<unknown>) => {
    guard(() => events.received(typeof event.data === 'string' ? event.data : ''))
  }
  return {
    send(text) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    close: () => socket.close(),
  }
}
