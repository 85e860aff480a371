import type { PageToWorker } from '../protocol/bridge.ts'
import type { PeerId } from '../protocol/ids.ts'
import type { JoinResponse } from '../protocol/join.ts'
import {
  connectionsPerPage,
  dialsAtOnce,
  introductionsKept,
  pushBurst,
  pushesPerSecond,
  seekLimit,
} from '../protocol/limits.ts'
import type { SessionDescription } from '../protocol/session-description.ts'
import type { Signal } from '../protocol/tracker-wire.ts'
import { backoffMs, jitterMs } from './backoff.ts'
import type { Bans } from './bans.ts'
import { TokenBucket } from './budget.ts'
import type { Connection, ConnectionPorts } from './connection.ts'
import type { PageToExchange } from './exchange-messages.ts'
import { Redials } from './redials.ts'
import type { TrackerPorts } from './tracker-client.ts'
import { TrackerClient } from './tracker-client.ts'

export type DialledConnection = Pick<Connection, 'offer' | 'answer' | 'accept' | 'close'>

export interface SwarmPorts extends TrackerPorts {
  /** Undefined where the site does not let this visitor in. */
  fetchJoin(signal: AbortSignal): Promise<JoinResponse | undefined>
  connect(ports: Omit<ConnectionPorts, 'createPeer'>, join: JoinResponse): DialledConnection
  tellWorker(message: PageToWorker): void
  tellExchange(message: PageToExchange, transfer?: Transferable[]): void
}

interface Member {
  readonly connection: DialledConnection
  /** Of all that this page made. */
  readonly number: number
  readonly isDial: boolean
  /** Undefined before it opened. */
  openedAt: number | undefined
  /** It turned out to be one that we are connected with already. */
  isDouble: boolean
  fingerprint: string | undefined
}

const firstRetryMs = 500
const longestRetryMs = 30_000
/** A policy may forbid it for good, and the browser reports each try. */
const longestJoinRetryMs = 300_000
const joinMs = 10_000
/** An open connection of a shorter life was of no use: the peers did not get to know each other. */
const goodAfterMs = 30_000
/** The first pauses are short: two visitors who come together find each other soon. */
const seekPausesMs = [1000, 2000]
const seekEveryMs = 10_000
const offersPerSecond = 4
const offerBurst = 32

/*
 * Who we are connected to. The origin names the swarms, the tracker introduces their members, we dial them, and they
 * us. Connections stay when the tracker goes; nothing here touches what is said over them.
 */
export class Swarm {
  readonly #ports: SwarmPorts
  readonly #bans: Bans
  readonly #tracker: TrackerClient
  readonly #members = new Map<PeerId, Member>()
  /** To dial. */
  readonly #introduced = new Set<PeerId>()
  readonly #redials: Redials
  readonly #offers: TokenBucket
  readonly #pushes: TokenBucket
  /** Of the page before; asked for once. */
  #known: readonly PeerId[] | undefined
  #join: JoinResponse | undefined
  #joinAttempt = 0
  #joining: AbortController | undefined
  #hasStopped = false
  #connections = 0
  #seekRound = 0
  #cancelSeek: () => void = () => {}
  #cancelJoin: () => void = () => {}

  constructor(ports: SwarmPorts, bans: Bans, known?: readonly PeerId[]) {
    this.#ports = ports
    this.#known = known
    this.#bans = bans
    this.#redials = new Redials(ports.random)
    this.#offers = new TokenBucket(offersPerSecond, offerBurst, ports.clock.now())
    this.#pushes = new TokenBucket(pushesPerSecond, pushBurst, ports.clock.now())
    this.#tracker = new TrackerClient(ports, {
      welcomed: () => {
        this.#seekRound = 0
        this.#seek()
      },
      introduced: (peers) => this.#introduce(peers),
      signalled: (from, signal) => this.#signalled(from, signal),
      pushed: (envelope) => {
        // Each costs the worker signatures to check; what a flood hides it asks the origin for.
        if (this.#pushes.take(1, ports.clock.now())) ports.tellWorker({ type: 'nearhand:fresh', envelope })
      },
      reached: (isReachable) => {
        ports.tellWorker({ type: 'nearhand:tracker', isReachable })
        // The origin was away, and is likely to be back: those who are connected wait for our new pass.
        if (isReachable && this.#joinAttempt > 0) this.#renewSoon(jitterMs(firstRetryMs, ports.random))
      },
      refused: () => this.#renewSoon(backoffMs(this.#joinAttempt, firstRetryMs, longestRetryMs, ports.random)),
    })
  }

  /** Joins, and stays joined until it is stopped. */
  async start(): Promise<void> {
    const { clock, random } = this.#ports
    const joining = new AbortController()
    this.#joining = joining
    const cancel = clock.after(joinMs, () => joining.abort())
    try {
      // It may have begun before, and hear of no end.
      const join = await Promise.race([this.#ports.fetchJoin(joining.signal), endOf(joining.signal)])
      if (this.#hasStopped) return
      if (join === undefined) {
        // A no is a no for a while; who logs in mostly opens another page.
        this.#renewSoon(jitterMs(longestJoinRetryMs, random))
        return
      }
      this.#joinAttempt = 0
      this.#join = join
      this.#ports.tellExchange({ type: 'swarms', swarms: join.swarms, pass: join.pass })
      this.#tracker.join(
        join.swarms.map(({ swarm }) => swarm),
        join.pass,
      )
      this.#renewSoon(join.renewSeconds * 1000 * (0.8 + random() / 5))
    } catch {
      // The origin or the network is away; assets have their own way there.
      this.#renewSoon(backoffMs(this.#joinAttempt, firstRetryMs, longestJoinRetryMs, random))
      this.#joinAttempt += 1
    } finally {
      cancel()
    }
  }

  /** Closes every connection. */
  stop(): void {
    this.#hasStopped = true
    this.#joining?.abort()
    this.#cancelSeek()
    this.#cancelJoin()
    this.#tracker.stop()
    this.#introduced.clear()
    for (const { connection } of this.#members.values()) connection.close()
  }

  /** The exchange is done with a peer, on this connection; a ban holds whatever the connection. */
  gone(peer: PeerId, connection: number | undefined, isBanned: boolean): void {
    const member = this.#members.get(peer)
    if (isBanned) this.#bans.add(peer, member?.fingerprint)
    // It may speak of the one before, whose end it noticed while we began anew.
    if (isBanned || member?.number === connection) member?.connection.close()
  }

  #renewSoon(delayMs: number): void {
    this.#cancelJoin()
    if (this.#hasStopped) return
    this.#cancelJoin = this.#ports.clock.after(delayMs, () => void this.start())
  }

  #seek(): void {
    this.#cancelSeek()
    const missing = connectionsPerPage - this.#members.size - this.#introduced.size
    if (missing > 0) {
      // Where relays hide the address, who comes back to the same peers at once would be known again by just that.
      const known = this.#join?.relay === true ? undefined : this.#known
      this.#known = undefined
      for (const { swarm } of this.#join?.swarms ?? []) this.#tracker.seek(swarm, Math.min(missing, seekLimit), known)
    }
    const pauseMs = seekPausesMs[this.#seekRound] ?? seekEveryMs
    this.#seekRound += 1
    this.#cancelSeek = this.#ports.clock.after(jitterMs(pauseMs, this.#ports.random), () => this.#seek())
  }

  #introduce(peers: readonly PeerId[]): void {
    const now = this.#ports.clock.now()
    for (const peer of peers) if (!this.#redials.isResting(peer, now)) this.#await(peer)
    this.#dial()
  }

  #await(peer: PeerId): void {
    if (this.#bans.has(peer) || this.#members.has(peer) || this.#introduced.size >= introductionsKept) return
    this.#introduced.add(peer)
  }

  #dial(): void {
    for (const peer of this.#introduced) {
      const dials = [...this.#members.values()].filter(
        (member) => member.isDial && member.openedAt === undefined,
      ).length
      if (dials >= dialsAtOnce || this.#members.size >= connectionsPerPage) return
      this.#introduced.delete(peer)
      if (!this.#members.has(peer)) void this.#connect(peer, true)?.connection.offer()
    }
  }

  /** One side dials, so it is this one that does it again, whatever broke the connection on whichever side. */
  #redial(peer: PeerId, { openedAt, isDouble }: Pick<Member, 'openedAt' | 'isDouble'>): void {
    const { clock } = this.#ports
    const now = clock.now()
    if (isDouble) {
      this.#redials.rest(peer, now)
      return
    }
    const pauseMs = this.#redials.ended(peer, openedAt !== undefined && now - openedAt > goodAfterMs, now)
    if (pauseMs === undefined) return
    clock.after(pauseMs, () => {
      if (this.#hasStopped) return
      this.#await(peer)
      this.#dial()
    })
  }

  #signalled(from: PeerId, signal: Signal): void {
    const member = this.#members.get(from)
    if (signal.type === 'offer') this.#offered(from, signal.description, member)
    else if (member) {
      if (signal.type === 'answer' && !this.#isWelcome(signal.description.fingerprint)) {
        member.isDouble = true
        member.connection.close()
        return
      }
      if (signal.type === 'answer') this.#certify(from, member, signal.description)
      void member.connection.accept(signal)
    }
  }

  #offered(from: PeerId, description: SessionDescription, member: Member | undefined): void {
    const self = this.#tracker.self
    if (self === undefined || this.#bans.has(from) || !this.#offers.take(1, this.#ports.clock.now())) return
    // Both dialled: the offer of the smaller id holds, and both know which that is. Or it dials again.
    if (member && (member.openedAt !== undefined || (member.isDial && self < from))) return
    member?.connection.close()
    this.#introduced.delete(from)
    if (this.#members.size >= connectionsPerPage || !this.#isWelcome(description.fingerprint)) return
    const added = this.#connect(from, false)
    if (added === undefined) return
    this.#certify(from, added, description)
    void added.connection.answer(description)
  }

  /** Before the connection can come up: its first frame is checked against this. */
  #certify(peer: PeerId, member: Member, { fingerprint }: SessionDescription): void {
    member.fingerprint = fingerprint
    this.#ports.tellExchange({ type: 'certificate', peer, fingerprint })
  }

  /** Neither banned nor connected already: a peer has a new id after it lost its tracker, but the same certificate. */
  #isWelcome(fingerprint: string): boolean {
    if (this.#bans.has(fingerprint)) return false
    return ![...this.#members.values()].some((member) => member.fingerprint === fingerprint)
  }

  #connect(peer: PeerId, isDial: boolean): Member | undefined {
    const self = this.#tracker.self
    const join = this.#join
    if (self === undefined || join === undefined) return undefined
    const { clock } = this.#ports
    this.#connections += 1
    const number = this.#connections
    const ports: Omit<ConnectionPorts, 'createPeer'> = {
      clock,
      isLan: join.lan,
      adopt: (channel) =>
        this.#ports.tellExchange({ type: 'channel', connection: number, peer, self, channel }, [channel]),
      signal: (signal) => this.#tracker.signal(peer, signal),
      opened: () => {
        member.openedAt ??= clock.now()
        this.#dial()
      },
      closed: () => {
        this.#members.delete(peer)
        if (this.#hasStopped) return
        this.#ports.tellExchange({ type: 'drop', peer })
        if (isDial) this.#redial(peer, member)
        this.#dial()
      },
    }
    let connection: DialledConnection
    try {
      connection = this.#ports.connect(ports, join)
    } catch {
      // The browser has no more of them, or takes no such server: others may do, or this one later.
      if (isDial) this.#redial(peer, { openedAt: undefined, isDouble: false })
      return undefined
    }
    const member: Member = { connection, number, isDial, openedAt: undefined, isDouble: false, fingerprint: undefined }
    this.#members.set(peer, member)
    return member
  }
}

function endOf(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('Cannot join: no answer'))))
}
