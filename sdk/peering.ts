import { joinFile, parseJoinResponse, trackerFile } from '../protocol/join.ts'
import type { JoinRequest, JoinResponse } from '../protocol/join.ts'
import { manifestFolder } from '../protocol/manifest.ts'
import { describeSdp } from '../protocol/session-description.ts'
import type { Bans } from './bans.ts'
import type { Clock } from './clock.ts'
import { Connection } from './connection.ts'
import type { ExchangeHost } from './exchange-host.ts'
import { startExchange } from './exchange-host.ts'
import type { ExchangeToPage, PeerView } from './exchange-messages.ts'
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
  readonly bans: Bans
  readonly today: UploadDay
  readonly isRelayOnly: boolean
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
  #host: ExchangeHost | undefined
  #swarm: Swarm | undefined
  #hasStopped = false
  #isLinked = false
  #peers: readonly PeerView[] = []
  #uploadedBytes = 0
  #day = 0

  constructor(options: PeeringOptions) {
    this.#options = options
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
    const host = await startExchange(this.#options.workerUrl, this.#options.base, {
      received: (message) => this.#receive(message),
      failed: this.#options.failed,
    })
    if (this.#hasStopped) {
      host.close()
      return
    }
    this.#host = host
    this.limitUpload()
    this.relink()
    // One certificate for all connections of this page: a ban outlives the id that the tracker gives.
    const certificate = await RTCPeerConnection.generateCertificate(certificateKey)
    const fingerprint = await fingerprintOf(certificate)
    if (this.#hasStopped) return
    this.#swarm = this.#createSwarm(host, certificate, fingerprint)
    await this.#swarm.start()
  }

  /** Links the service worker anew: another one controls the page, or it forgot us. */
  relink(): void {
    if (this.#host === undefined) return
    this.#link.link().catch(this.#options.failed)
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
        this.#swarm?.gone(message.peer, message.isBanned)
        if (message.isBanned) this.#options.changed()
    }
  }

  #createSwarm(host: ExchangeHost, certificate: RTCCertificate, fingerprint: string): Swarm {
    const { clock, trackerUrl, bans } = this.#options
    const folder = `${trackerUrl}${manifestFolder}/`
    return new Swarm(
      {
        clock,
        random: Math.random,
        fetchJoin: (signal) => fetchJoin(folder + joinFile, fingerprint, signal),
        openSocket: (events) => openSocket(folder.replace(/^http/, 'ws') + trackerFile, events, this.#options.failed),
        connect: (ports, join) => {
          const configuration = configurePeer(join, certificate, this.#options.isRelayOnly)
          return new Connection({ ...ports, createPeer: () => new RTCPeerConnection(configuration) })
        },
        tellWorker: (message) => this.#options.serviceWorker()?.postMessage(message),
        tellExchange: (message, transfer) => host.post(message, transfer),
      },
      bans,
    )
  }
}

/** Asked of an offer: Firefox has `RTCCertificate.getFingerprints()` since 138 only. */
async function fingerprintOf(certificate: RTCCertificate): Promise<string> {
  const peer = new RTCPeerConnection({ certificates: [certificate] })
  peer.createDataChannel('')
  const { sdp = '' } = await peer.createOffer()
  peer.close()
  return describeSdp(sdp).fingerprint
}

async function fetchJoin(url: string, fingerprint: string, signal: AbortSignal): Promise<JoinResponse> {
  const request: JoinRequest = { fingerprint }
  // As plain text, which needs no preflight where the tracker is another host.
  const body = JSON.stringify(request)
  const response = await fetch(url, { method: 'POST', body, signal, credentials: 'omit' })
  if (!response.ok) throw new Error(`Cannot join: ${response.status}`)
  return parseJoinResponse(await response.text())
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
