import { ProtocolError } from '../protocol/errors.ts'
import type { ContentId, PeerId } from '../protocol/ids.ts'
import { earlyBytes, earlyFrames, stuckLimitBytes } from '../protocol/limits.ts'
import type { PeerFrame, ShortId } from '../protocol/peer-wire.ts'
import { encodeFrame, parseFrame, peerWireVersion, swarmProof } from '../protocol/peer-wire.ts'
import { Adverts } from './adverts.ts'
import type { Channel } from './channel.ts'
import type { Clock } from './clock.ts'
import { Downloads } from './downloads.ts'
import type { PeerView, SectionSwarm } from './exchange-messages.ts'
import { FloodGuard } from './flood-guard.ts'
import { Holdings } from './holdings.ts'
import type { Passes } from './passes.ts'
import { PeerPass } from './peer-pass.ts'
import type { HolderView, Rank } from './pick.ts'
import { Standing } from './standing.ts'
import type { UploadClient, Uploads } from './uploads.ts'

/** Why a session ended: by itself, without a swarm or a pass in common, or because the peer broke the protocol. */
export type SessionEnd = 'closed' | 'stranger' | 'violation'

export interface SessionHost {
  readonly clock: Clock
  readonly uploads: Uploads
  readonly passes: Passes
  readonly failed: (error: unknown) => void
  /** How long passes that ended still hold. Undefined: not at all, for origin or tracker can be reached. */
  readonly graceMs: number | undefined
  sectionOf(asset: ContentId): string | undefined
  /** The swarms in common are known. */
  shaken(session: PeerSession): void
  /** It told what it holds, for the first time. */
  told(session: PeerSession): void
  interested(session: PeerSession, asset: ContentId): void
  /** It told the fresh that it believes. */
  heard(session: PeerSession, envelope: string): void
  /** Called once. */
  ended(session: PeerSession, end: SessionEnd): void
}

interface Proofs {
  readonly own: ReadonlyMap<string, ShortId>
  readonly theirs: ReadonlyMap<ShortId, string>
}

const handshakeMs = 10_000

/*
 * One data channel and the peer behind it. Both sides say hello with a pass and a proof for each of their swarms; what
 * the pass opens and the two have in common is all that they ever talk about. Then each tells what it holds, and wants are answered. Whatever
 * breaks the protocol ends the session as a violation; there are no second chances, as no honest peer needs one.
 */
export class PeerSession implements HolderView, UploadClient {
  readonly peer: PeerId
  /** Its number on the page. */
  readonly connection: number
  readonly downloads: Downloads
  readonly standing: Standing = new Standing()
  readonly #host: SessionHost
  readonly #channel: Channel
  readonly #guard: FloodGuard
  readonly #cancelTimeout: () => void
  readonly #pass: PeerPass
  /** Frames that wait for something that is not there at once. */
  #early: Uint8Array[] | undefined = []
  #earlyBytes = 0
  #proofs: Proofs | undefined
  #fingerprint: string | undefined
  #isOpen = false
  #hasEnded = false
  #shared: readonly string[] = []
  #holdings: Holdings | undefined
  #adverts: Adverts | undefined
  #sentBytes = 0

  constructor(channel: Channel, peer: PeerId, connection: number, host: SessionHost) {
    this.peer = peer
    this.connection = connection
    this.#host = host
    this.#channel = channel
    this.#guard = new FloodGuard(host.clock.now())
    this.downloads = new Downloads((frame) => this.send(frame), host.clock)
    this.#pass = new PeerPass(host, (end) => this.end(end))
    this.#cancelTimeout = host.clock.after(handshakeMs, () => this.end('closed'))
    channel.listen({
      opened: () => {
        this.#isOpen = true
        this.#greet()
      },
      received: (bytes) => this.#receive(bytes),
      drained: () => host.uploads.serve(),
      closed: () => this.end('closed'),
    })
  }

  /** Goes on with the handshake. @param self our own id at the tracker, as this peer knows it */
  async introduce(self: PeerId, swarms: readonly SectionSwarm[]): Promise<void> {
    // Who says hello must be ready for all that may follow.
    await this.#host.passes.ready
    const own = new Map<string, ShortId>()
    const theirs = new Map<ShortId, string>()
    for (const { section, swarm } of swarms) {
      own.set(section, await swarmProof(swarm, self))
      theirs.set(await swarmProof(swarm, this.peer), section)
    }
    this.#proofs = { own, theirs }
    this.#greet()
    this.#resume()
  }

  /** Takes the certificate that the peer is connected with. The first one holds: the browser takes no other either. */
  certify(fingerprint: string): void {
    this.#fingerprint ??= fingerprint
    this.#resume()
  }

  /** Shows our newer pass, where the peer was shown one. */
  renew(): void {
    if (this.#proofs && this.#isOpen) this.send({ type: 'pass', pass: this.#host.passes.own })
  }

  get holdings(): Holdings | undefined {
    return this.#holdings
  }

  get adverts(): Adverts | undefined {
    return this.#adverts
  }

  /** Whether it can be asked: the handshake is done and it told what it holds. */
  get isReady(): boolean {
    return this.#holdings?.isTold ?? false
  }

  get bufferedAmount(): number {
    return this.#channel.bufferedAmount
  }

  get roundTripMs(): number | undefined {
    return this.downloads.roundTripMs
  }

  get bytesPerSecond(): number | undefined {
    return this.downloads.bytesPerSecond
  }

  queuedBytes(rank: Rank): number {
    return this.downloads.queuedBytes(rank)
  }

  get failureRate(): number {
    return this.standing.failureRate
  }

  get view(): PeerView {
    return {
      id: this.peer,
      roundTripMs: this.roundTripMs,
      bytesPerSecond: this.bytesPerSecond ?? 0,
      receivedBytes: this.downloads.receivedBytes,
      sentBytes: this.#sentBytes,
    }
  }

  isInScope(asset: ContentId): boolean {
    const section = this.#host.sectionOf(asset)
    return section !== undefined && (this.#adverts?.isShared(section) ?? false)
  }

  send(frame: PeerFrame): void {
    if (this.#hasEnded) return
    // Answers are small but without end. Chromium throws at 16 MiB unsent, and holds all of that until then.
    if (this.#channel.bufferedAmount > stuckLimitBytes) {
      this.#endSoon('violation')
      return
    }
    const bytes = encodeFrame(frame)
    try {
      this.#channel.send(bytes)
      if (frame.type === 'data') this.#sentBytes += frame.bytes.length
    } catch {
      // What the browser does not send for one peer is no reason to leave the others.
      this.#endSoon('closed')
    }
  }

  /** Not at once: who sends is in the middle of what an end would change. */
  #endSoon(end: SessionEnd): void {
    queueMicrotask(() => this.end(end))
  }

  end(end: SessionEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#cancelTimeout()
    this.#pass.stop()
    this.#channel.close()
    this.#host.uploads.leave(this)
    this.#host.ended(this, end)
    this.downloads.failAll('closed')
  }

  #greet(): void {
    if (this.#proofs && this.#isOpen) {
      const proofs = [...this.#proofs.own.values()]
      this.send({ type: 'hello', version: peerWireVersion, proofs, pass: this.#host.passes.own })
    }
  }

  /** Takes the frames that waited, until one of them lets the others wait again. */
  #resume(): void {
    if (this.#proofs === undefined || this.#fingerprint === undefined) return
    const early = this.#early ?? []
    this.#early = undefined
    this.#earlyBytes = 0
    for (const bytes of early) this.#receive(bytes)
  }

  #receive(bytes: Uint8Array): void {
    if (this.#hasEnded) return
    try {
      if (this.#early) {
        this.#earlyBytes += bytes.length
        if (this.#early.push(bytes) > earlyFrames || this.#earlyBytes > earlyBytes) {
          throw new ProtocolError('oversized', 'Cannot keep frame: too early')
        }
        return
      }
      const frame = parseFrame(bytes)
      // Data is bounded by what was asked for.
      if (frame.type !== 'data') this.#guard.admit(bytes.length, this.#host.clock.now())
      this.#accept(frame)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      this.end('violation')
    }
  }

  #accept(frame: PeerFrame): void {
    if (frame.type === 'hello') {
      if (this.#holdings) throw new ProtocolError('malformed', 'Cannot take hello: it came twice')
      this.#take(frame.pass, (sections) => this.#shake(frame.proofs, sections))
      this.#early = []
      return
    }
    const holdings = this.#holdings
    if (holdings === undefined) throw new ProtocolError('malformed', `Cannot take ${frame.type}: no hello before it`)
    switch (frame.type) {
      case 'pass':
        this.#take(frame.pass, (sections) => {
          if (!this.#shared.every((section) => sections.includes(section))) this.end('stranger')
        })
        break
      case 'have': {
        const wasTold = holdings.isTold
        holdings.accept(frame)
        if (wasTold) break
        this.#cancelTimeout()
        this.#host.told(this)
        break
      }
      case 'map':
        holdings.acceptMap(frame)
        break
      case 'interest':
        if (this.isInScope(frame.asset)) this.#host.interested(this, frame.asset)
        break
      case 'word':
        this.#host.heard(this, frame.envelope)
        break
      case 'want':
        this.#host.uploads.want(this, frame)
        break
      case 'cancel':
        this.#host.uploads.cancel(this, frame.request)
        break
      case 'data':
      case 'busy':
      case 'absent':
        this.downloads.accept(frame)
    }
  }

  #take(token: string, taken: (sections: readonly string[]) => void): void {
    this.#pass.take(token, this.#fingerprint ?? '', taken)
  }

  #shake(proofs: readonly ShortId[], sections: readonly string[]): void {
    const shared = new Map<ShortId, string>()
    const own = new Map<string, ShortId>()
    for (const proof of proofs) {
      const section = this.#proofs?.theirs.get(proof)
      const ownProof = section === undefined ? undefined : this.#proofs?.own.get(section)
      if (section === undefined || ownProof === undefined || !sections.includes(section)) continue
      shared.set(proof, section)
      own.set(section, ownProof)
    }
    if (shared.size === 0) {
      this.end('stranger')
      return
    }
    this.#shared = [...shared.values()]
    this.#holdings = new Holdings(shared)
    this.#adverts = new Adverts((frame) => this.send(frame), own)
    this.#host.shaken(this)
    this.#resume()
  }
}
