import { ProtocolError } from '../protocol/errors.ts'
import type { PeerId, SwarmId } from '../protocol/ids.ts'
import {
  candidatesPerPair,
  clockSkewSeconds,
  departedKept,
  introduceAgainSeconds,
  introductionsMade,
  introductionsOfOne,
  introductionsReceived,
  offersPerPair,
} from '../protocol/limits.ts'
import type { Pass } from '../protocol/pass.ts'
import { parseCandidate } from '../protocol/session-description.ts'
import type { FromTracker, Signal, ToTracker } from '../protocol/tracker-wire.ts'
import type { CheckPass } from './check-pass.ts'
import { addressGroup } from './client-address.ts'
import type { Place, Seat } from './roster.ts'
import { Roster } from './roster.ts'

/** What the edge is to do. */
export interface Effect {
  readonly to: PeerId
  readonly message: FromTracker
}

export interface TrackerOptions {
  /** Whether peers of one public address may meet, and whether local candidates pass. Between local pages both do. */
  readonly lan: boolean
  /** The section of a swarm of ours; undefined of another: nobody gets to signal for a site of their own. */
  readonly sectionOf: (swarm: SwarmId) => string | undefined
  readonly checkPass: CheckPass
  /** Seconds since 1970. */
  readonly now: () => number
  /** Nobody is introduced in a swarm of fewer: who is there would say too much about each. Default: 2. */
  readonly minimumSwarm?: (() => number) | undefined
  /** Told to whoever joins; undefined: nothing, for their own host tells them. */
  readonly fresh?: (() => string | undefined) | undefined
  /** A number from 0 up to but not 1. */
  readonly random: () => number
}

/** Who connected, as the edge knows it. */
export interface Visitor {
  readonly address: string
  readonly place: Place
  /** Whether its page is at localhost. */
  readonly isLocalPage: boolean
}

/** Two that were introduced, seen from one of them. Both sides hold the same object. */
interface Pair {
  readonly seeker: PeerId
  /** When they were introduced last, in seconds since 1970. */
  introducedAt: number
  offersLeft: number
  offers: number
  answers: number
  candidates: number
}

interface Peer {
  readonly id: PeerId
  /** As the tracker sees it; nobody else is told. */
  readonly address: string
  /** See `addressGroup`. */
  readonly group: string
  readonly place: Place
  readonly isLocalPage: boolean
  /** Undefined before it joined. */
  seats: Map<SwarmId, Seat<Peer>> | undefined
  /** The one that it joined with. */
  pass: Pass | undefined
  readonly pairs: Map<PeerId, Pair>
  /** Of the pairs, those that others asked for. */
  received: number
  /** The same by group. */
  readonly receivedOf: Map<string, number>
  /** Addresses of those who were introduced to it and left, the oldest first. */
  readonly departed: string[]
}

/**
 * Who is in which swarm, who was introduced to whom. No I/O: messages come in, effects go out.
 *
 * Of a pair one seeks: it offers, the other answers, and both tell candidates. They are introduced again after a while. Signals pass only
 * between the introduced and only in that order, so nobody can reach a peer that the tracker did not choose.
 */
export class Tracker {
  readonly #options: TrackerOptions
  readonly #peers = new Map<PeerId, Peer>()
  readonly #swarms = new Map<SwarmId, Roster<Peer>>()

  constructor(options: TrackerOptions) {
    this.#options = options
  }

  get peerCount(): number {
    return this.#peers.size
  }

  /** Takes a new connection under a fresh id. */
  open(id: PeerId, { address, place, isLocalPage }: Visitor): Effect[] {
    const known = { id, address, group: addressGroup(address), place, isLocalPage }
    const introductions = { pairs: new Map<PeerId, Pair>(), received: 0, receivedOf: new Map<string, number>() }
    this.#peers.set(id, { ...known, ...introductions, seats: undefined, pass: undefined, departed: [] })
    return [{ to: id, message: { type: 'welcome', peer: id } }]
  }

  /** Throws a ProtocolError where the connection is to be closed. */
  receive(from: PeerId, message: ToTracker): Effect[] {
    const peer = this.#peers.get(from)
    if (peer === undefined) return []
    switch (message.type) {
      case 'join':
        return this.#join(peer, message.swarms, message.pass)
      case 'seek':
        return this.#seek(peer, message)
      case 'signal':
        return this.#signal(peer, message.to, message.signal)
    }
  }

  hasJoined(id: PeerId): boolean {
    return this.#peers.get(id)?.seats !== undefined
  }

  close(id: PeerId): void {
    const peer = this.#peers.get(id)
    if (peer === undefined) return
    this.#peers.delete(id)
    this.#leave(peer)
    for (const [otherId, pair] of peer.pairs) {
      const other = this.#peers.get(otherId)
      if (other === undefined) continue
      other.pairs.delete(id)
      if (pair.seeker === id) count(other, peer, -1)
      other.departed.push(peer.address)
      if (other.departed.length > departedKept) other.departed.shift()
    }
  }

  /** The same word to everybody who joined. */
  announce(message: FromTracker): Effect[] {
    return [...this.#peers.values()].flatMap((peer) => (peer.seats ? [{ to: peer.id, message }] : []))
  }

  /** Again while joined: pass and swarms instead of those before, as passes run out and ids change with the day. */
  #join(peer: Peer, swarms: readonly SwarmId[], token: string): Effect[] {
    const { checkPass, now, sectionOf } = this.#options
    const pass = checkPass(token, now())
    // Otherwise one connection could stand for many certificates.
    if (peer.pass && peer.pass.fingerprint !== pass.fingerprint) {
      throw new ProtocolError('untrusted', 'Cannot join: the pass is of another certificate than the one before')
    }
    for (const swarm of swarms) {
      const section = sectionOf(swarm)
      if (section === undefined) throw new ProtocolError('foreign', 'Cannot join: a swarm that is not of this site')
      if (!pass.sections.includes(section)) throw new ProtocolError('untrusted', 'Cannot join: not with this pass')
    }
    const isFirst = peer.pass === undefined
    this.#leave(peer)
    peer.pass = pass
    peer.seats = new Map()
    for (const swarm of new Set(swarms)) {
      const roster = this.#swarms.get(swarm) ?? new Roster()
      peer.seats.set(swarm, roster.add(peer, peer.place))
      this.#swarms.set(swarm, roster)
    }
    const envelope = isFirst ? this.#options.fresh?.() : undefined
    return envelope === undefined ? [] : [{ to: peer.id, message: { type: 'fresh', envelope } }]
  }

  #seek(peer: Peer, { swarm, count, known = [] }: Extract<ToTracker, { type: 'seek' }>): Effect[] {
    const seat = peer.seats?.get(swarm)
    if (seat === undefined) throw new ProtocolError('malformed', 'Cannot seek: a swarm that was not joined')
    this.#assertPass(peer)
    const roster = this.#swarms.get(swarm) ?? new Roster()
    const left = introductionsMade - (peer.pairs.size - peer.received)
    const isTooSmall = roster.size < (this.#options.minimumSwarm?.() ?? 2)
    const most = isTooSmall ? 0 : Math.max(0, Math.min(count, left))
    const again = this.#findAgain(peer, swarm, known).slice(0, most)
    const others = roster.pick(seat, {
      count: most - again.length,
      mayPick: (other) => !again.includes(other) && this.#mayMeet(peer, other),
      loadOf: ({ received }) => received,
      random: this.#options.random,
    })
    const picked = [...again, ...others]
    for (const other of picked) {
      this.#introduce(peer, other)
    }
    return [{ to: peer.id, message: { type: 'peers', swarm, peers: picked.map((other) => other.id) } }]
  }

  #introduce(peer: Peer, other: Peer): void {
    const known = peer.pairs.get(other.id)
    const introducedAt = this.#options.now()
    // What was counted stays: an answer to the last offer may be on its way.
    if (known) Object.assign(known, { introducedAt, offersLeft: offersPerPair })
    if (known) return
    const pair = { seeker: peer.id, introducedAt, offersLeft: offersPerPair, offers: 0, answers: 0, candidates: 0 }
    peer.pairs.set(other.id, pair)
    other.pairs.set(peer.id, pair)
    count(other, peer, 1)
  }

  /**
   * Those whom a page names that was on another page of the site just before. Only where they lost somebody at its
   * address: whom anybody else names is not led to by their wish, or many could gather around one peer.
   */
  #findAgain(peer: Peer, swarm: SwarmId, known: readonly PeerId[]): readonly Peer[] {
    return [...new Set(known)].flatMap((id) => {
      const other = this.#peers.get(id)
      if (!other?.seats?.has(swarm) || !other.departed.includes(peer.address)) return []
      return this.#mayMeet(peer, other) ? [other] : []
    })
  }

  #mayMeet(peer: Peer, other: Peer): boolean {
    const pair = peer.pairs.get(other.id)
    // Nobody tells us whether the two found a way to each other. Always the same one seeks, so offers never cross.
    if (pair && (pair.seeker !== peer.id || this.#options.now() < pair.introducedAt + introduceAgainSeconds))
      return false
    if (other === peer || (!pair && !this.#hasRoom(other, peer))) return false
    if (!this.#hasPass(other)) return false
    // Behind one address they could meet only by local candidates or a router that hairpins.
    return this.#isLan(peer, other) || other.address !== peer.address
  }

  /** One address, or one household with IPv6, must not have all of the room: it could keep everybody else from a peer. */
  #hasRoom(other: Peer, peer: Peer): boolean {
    if (other.received < introductionsReceived / 2 || this.#isLan(peer, other)) {
      return other.received < introductionsReceived
    }
    const own = other.receivedOf.get(peer.group) ?? 0
    return other.received < introductionsReceived && own < introductionsOfOne
  }

  #isLan(peer: Peer, other: Peer): boolean {
    return this.#options.lan || (peer.isLocalPage && other.isLocalPage)
  }

  #signal(peer: Peer, to: PeerId, signal: Signal): Effect[] {
    const pair = peer.pairs.get(to)
    // The other has left, or was never introduced: one silence for both.
    if (pair === undefined) return []
    this.#assertPass(peer)
    // A stolen pass names a certificate whose key the thief has not.
    if (signal.type !== 'candidates' && signal.description.fingerprint !== peer.pass?.fingerprint) {
      throw new ProtocolError('untrusted', 'Cannot pass signal: of another certificate than the pass')
    }
    const other = this.#peers.get(to)
    const isLan = other !== undefined && this.#isLan(peer, other)
    const passed = pass(pair, pair.seeker === peer.id, isLan, signal)
    return passed ? [{ to, message: { type: 'signal', from: peer.id, signal: passed } }] : []
  }

  #assertPass(peer: Peer): void {
    if (!this.#hasPass(peer)) throw new ProtocolError('expired', 'Cannot go on: the pass expired')
  }

  #hasPass({ pass }: Peer): boolean {
    return pass !== undefined && pass.expires > this.#options.now() - clockSkewSeconds
  }

  #leave(peer: Peer): void {
    for (const [swarm, seat] of peer.seats ?? []) {
      const roster = this.#swarms.get(swarm)
      roster?.remove(seat)
      if (roster?.size === 0) this.#swarms.delete(swarm)
    }
    peer.seats = undefined
  }
}

/** Of introductions to one, those that another asked for. */
function count(to: Peer, { group }: Peer, change: 1 | -1): void {
  to.received += change
  const own = (to.receivedOf.get(group) ?? 0) + change
  if (own > 0) to.receivedOf.set(group, own)
  else to.receivedOf.delete(group)
}

function pass(pair: Pair, isSeeker: boolean, isLan: boolean, signal: Signal): Signal | undefined {
  switch (signal.type) {
    case 'offer':
      if (!isSeeker) throw new ProtocolError('malformed', 'Cannot pass offer: the other one offers')
      // Not a fault: it may have been introduced anew a moment later than it thought.
      if (pair.offersLeft === 0) return undefined
      pair.offersLeft -= 1
      pair.offers += 1
      pair.candidates = 0
      return signal
    case 'answer':
      if (isSeeker || pair.answers >= pair.offers) {
        throw new ProtocolError('malformed', 'Cannot pass answer: to no offer')
      }
      pair.answers += 1
      return signal
    case 'candidates': {
      if (pair.offers === 0) throw new ProtocolError('malformed', 'Cannot pass candidates: before the offer')
      pair.candidates += signal.candidates.length
      if (pair.candidates > candidatesPerPair) return undefined
      return filterCandidates(signal.candidates, isLan)
    }
  }
}

/** Rebuilt from their known fields; local ones tell of a visitor's own network and help nobody outside of it. */
function filterCandidates(candidates: readonly string[], isLan: boolean): Signal | undefined {
  const passed = candidates.flatMap((text) => {
    const candidate = parseCandidate(text)
    return candidate && (isLan || !candidate.isLocal) ? [candidate.text] : []
  })
  return passed.length > 0 ? { type: 'candidates', candidates: passed } : undefined
}
