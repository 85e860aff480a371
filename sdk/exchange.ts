import type { ExchangeToWorker } from '../protocol/bridge.ts'
import { parseWorkerToExchange } from '../protocol/bridge.ts'
import type { Bytes } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { ContentId, PeerId } from '../protocol/ids.ts'
import { partIndexOnWire } from '../protocol/peer-wire.ts'
import type { StoredAsset } from '../protocol/store-layout.ts'
import type { Channel } from './channel.ts'
import type { Clock } from './clock.ts'
import type { ExchangeToPage, PageToExchange, SectionSwarm } from './exchange-messages.ts'
import { Passes } from './passes.ts'
import type { SessionEnd, SessionHost } from './peer-session.ts'
import { PeerSession } from './peer-session.ts'
import { Reads } from './reads.ts'
import type { StoreReader } from './seed-store.ts'
import { SeedStore } from './seed-store.ts'
import { Uploads } from './uploads.ts'
import { Words } from './words.ts'

/** Everything that an exchange touches. */
export interface ExchangePorts {
  readonly clock: Clock
  readonly random: () => number
  readonly store: StoreReader
  channelOf(channel: RTCDataChannel): Channel
  post(message: ExchangeToPage): void
  /** Told what goes wrong of itself, with nobody there to catch it. */
  readonly failed: (error: unknown) => void
}

const haveDelayMs = 250
const mapDelayMs = 500
const viewDelayMs = 500

/**
 * Brings together the peers, the store and the service worker: asks peers for what the worker wants, gives peers what
 * the store holds, and tells the page how it goes. Runs in the dedicated worker, or in the page where data channels
 * cannot be transferred.
 */
export class Exchange implements SessionHost {
  readonly clock: Clock
  readonly uploads: Uploads
  readonly passes: Passes
  readonly failed: (error: unknown) => void
  readonly #ports: ExchangePorts
  readonly #store: SeedStore
  readonly #reads: Reads
  readonly #sessions = new Map<PeerId, PeerSession>()
  readonly #changed = new Map<ContentId, StoredAsset>()
  readonly #grown = new Map<ContentId, StoredAsset>()
  readonly #waiting = new Set<() => void>()
  readonly #cancels = new Map<() => void, () => void>()
  #swarms: readonly SectionSwarm[] = []
  #servesUntil = -Infinity
  #isCutOff = false
  readonly #words = new Words()
  #off: readonly string[] = []
  #port: MessagePort | undefined
  #told = ''
  #isGiving = false
  #opened: Promise<void>

  constructor(ports: ExchangePorts) {
    this.clock = ports.clock
    this.failed = ports.failed
    this.passes = new Passes(ports.clock)
    this.#ports = ports
    this.#store = new SeedStore(ports.store)
    this.uploads = new Uploads((asset, index) => this.#read(asset, index), ports.clock)
    this.#reads = new Reads({
      clock: ports.clock,
      random: ports.random,
      sessions: () => this.#readySessions(),
      reply: (message) => this.#reply(message),
    })
    // Without a store (the browsing mode, a broken profile) there is nothing to give, and still all to ask for.
    this.#opened = this.#store.open((asset) => this.#assetChanged(asset)).catch(() => {})
  }

  /** Takes a message of the page. */
  receive(message: PageToExchange): void {
    switch (message.type) {
      case 'swarms':
        this.#swarms = message.swarms
        this.passes.own = message.pass
        for (const session of this.#sessions.values()) session.renew()
        this.#tellPass()
        break
      case 'channel':
        this.#add(message)
        break
      case 'certificate':
        this.#sessions.get(message.peer)?.certify(message.fingerprint)
        break
      case 'drop':
        this.#drop(message.peer)
        break
      case 'link':
        this.#link(message.port)
        break
      case 'upload':
        this.uploads.setLimit(message.bytesPerSecond, message.bytesLeft, message.day)
        this.#followLimit()
        break
      case 'stop':
        this.#stop()
    }
  }

  sectionOf(asset: ContentId): string | undefined {
    const stored = this.#store.find(asset)
    return stored && this.#isGiven(stored) ? stored.section : undefined
  }

  get graceMs(): number | undefined {
    return this.#isCutOff ? this.#servesUntil - this.clock.now() : undefined
  }

  shaken(session: PeerSession): void {
    // A list that is told before the store was read would be empty, and the peer would look elsewhere.
    this.#opened.then(() => this.#tellAll(session)).catch(this.#ports.failed)
    const envelope = this.#words.own
    if (envelope !== undefined) session.send({ type: 'word', envelope })
  }

  heard(session: PeerSession, envelope: string): void {
    if (this.#words.isNews(session, envelope, this.clock.now())) this.#reply({ type: 'heard', envelope })
  }

  told(session: PeerSession): void {
    // At once: somebody waits for the first peer.
    if (this.#sessions.get(session.peer) === session) this.#tellViews()
  }

  interested(session: PeerSession, asset: ContentId): void {
    const stored = this.#store.find(asset)
    if (stored === undefined || !this.#isGiven(stored)) return
    session.adverts?.interested(asset)
    if (this.uploads.isAllowed) session.send({ type: 'map', asset, ...this.#store.mapOf(stored) })
    // It asks once: told when we give again.
    else this.#grown.set(asset, stored)
  }

  ended(session: PeerSession, end: SessionEnd): void {
    if (this.#sessions.get(session.peer) !== session) return
    this.#sessions.delete(session.peer)
    const { peer, connection } = session
    this.#ports.post({ type: 'gone', peer, connection, isBanned: end === 'violation' })
    this.#tellViews()
  }

  #add({ channel, connection, peer, self }: Extract<PageToExchange, { type: 'channel' }>): void {
    this.#drop(peer)
    const session = new PeerSession(this.#ports.channelOf(channel), peer, connection, this)
    this.#sessions.set(peer, session)
    this.#soon(viewDelayMs, this.#tellViews)
    session.introduce(self, this.#swarms).catch(this.#ports.failed)
  }

  /** Without a word to the page, which asked for it. */
  #drop(peer: PeerId): void {
    const session = this.#sessions.get(peer)
    this.#sessions.delete(peer)
    session?.end('closed')
  }

  #link(port: MessagePort): void {
    this.#unlink()
    this.#port = port
    port.onmessage = (event: MessageEvent<unknown>) => {
      try {
        if (this.#port === port) this.#serveWorker(event.data)
      } catch (error) {
        // A worker of another deploy may say more than this build knows; it takes silence for a miss.
        if (!(error instanceof ProtocolError)) this.#ports.failed(error)
      }
    }
    this.#tellPass()
  }

  /** The worker gives guarded assets by it. */
  #tellPass(): void {
    if (this.passes.own !== '') this.#reply({ type: 'pass', pass: this.passes.own })
  }

  #unlink(): void {
    this.#reads.cancelAll()
    this.#port?.close()
    this.#port = undefined
  }

  #serveWorker(value: unknown): void {
    const message = parseWorkerToExchange(value)
    switch (message.type) {
      case 'find':
        this.#reads.find(message)
        break
      case 'read':
        this.#reads.read(message)
        break
      case 'hurry':
        this.#reads.hurry(message)
        break
      case 'cancel':
        this.#reads.cancel(message.request)
        break
      case 'blame':
        this.#ban(message.peer)
        break
      case 'loading':
        this.uploads.yield(message.isLoading)
        break
      case 'passes':
        this.passes.follow(message, message.now)
        break
      case 'word':
        this.#words.own = message.envelope
        for (const session of this.#sessions.values()) if (session.holdings) session.send(message)
        break
      case 'rule':
        this.#servesUntil = this.clock.now() + message.servesMs
        this.#off = message.off
        this.#isCutOff = message.isCutOff
        for (const session of this.#sessions.values()) this.#tellAll(session)
    }
  }

  /** Parts are the site's own word and no secret, but who is to give nothing gives no parts either. */
  async #read(id: ContentId, index: number): Promise<Bytes | undefined> {
    if (index !== partIndexOnWire) return this.#store.read(id, index)
    return this.clock.now() < this.#servesUntil ? this.#store.readPart(id) : undefined
  }

  /** Nothing without a signed word that it may be, and an unexpired one (freeze). */
  #isGiven({ path }: StoredAsset): boolean {
    return this.clock.now() < this.#servesUntil && !this.#off.some((prefix) => path.startsWith(prefix))
  }

  #ban(peer: PeerId): void {
    const session = this.#sessions.get(peer)
    if (session) session.end('violation')
    // It went in the meantime, and is not to come back.
    else this.#ports.post({ type: 'gone', peer, isBanned: true })
  }

  #reply(message: ExchangeToWorker): void {
    this.#port?.postMessage(message, message.type === 'chunk' ? [message.bytes] : [])
  }

  *#readySessions(): Generator<PeerSession> {
    for (const session of this.#sessions.values()) if (session.isReady) yield session
  }

  #tellAll(session: PeerSession): void {
    session.adverts?.tellAll(
      (section) =>
        this.uploads.isAllowed ? this.#store.assetsOf(section).filter((asset) => this.#isGiven(asset)) : [],
      (id) => this.#store.stateOf(id),
    )
  }

  /** Where the line or the day's share begins or ceases to let us give, peers are told what we hold, or nothing. */
  #followLimit(): void {
    if (this.#isGiving === this.uploads.isAllowed) return
    this.#isGiving = this.uploads.isAllowed
    for (const session of this.#sessions.values()) this.#tellAll(session)
    this.#tellMaps()
  }

  #assetChanged(asset: StoredAsset): void {
    this.#changed.set(asset.id, asset)
    this.#soon(haveDelayMs, this.#tellChanges)
    this.#grown.set(asset.id, asset)
    this.#soon(mapDelayMs, this.#tellMaps)
  }

  readonly #tellChanges = (): void => {
    const assets = [...this.#changed.values()].filter((asset) => this.#isGiven(asset))
    this.#changed.clear()
    if (!this.uploads.isAllowed) return
    for (const { adverts } of this.#sessions.values()) adverts?.tellChanged(assets, (id) => this.#store.stateOf(id))
  }

  readonly #tellMaps = (): void => {
    if (!this.uploads.isAllowed) return
    for (const { id } of this.#grown.values()) {
      const asset = this.#store.find(id)
      if (asset === undefined || !this.#isGiven(asset)) continue
      const map = this.#store.mapOf(asset)
      for (const session of this.#sessions.values()) {
        if (session.adverts?.isInterested(id)) session.send({ type: 'map', asset: id, ...map })
      }
    }
    this.#grown.clear()
  }

  readonly #tellViews = (): void => {
    this.#followLimit()
    const { uploadedBytes } = this.uploads
    const peers = [...this.#readySessions()].map((session) => session.view)
    const told = JSON.stringify({ peers, uploadedBytes })
    if (told !== this.#told) this.#ports.post({ type: 'peers', peers, uploadedBytes })
    this.#told = told
    // Also one that told nothing yet may ask, and what it gets counts for the day.
    if (this.#sessions.size > 0) this.#soon(viewDelayMs, this.#tellViews)
  }

  /** Runs once after a while, however often it is asked for until then. */
  #soon(delayMs: number, action: () => void): void {
    if (this.#waiting.has(action)) return
    this.#waiting.add(action)
    const cancel = this.clock.after(delayMs, () => {
      this.#waiting.delete(action)
      this.#cancels.delete(action)
      action()
    })
    this.#cancels.set(action, cancel)
  }

  #stop(): void {
    for (const cancel of this.#cancels.values()) cancel()
    this.#unlink()
    for (const session of this.#sessions.values()) session.end('closed')
    this.uploads.stop()
    this.#store.close()
  }
}
