import { ProtocolError } from '../protocol/errors.ts'
import type { PeerId } from '../protocol/ids.ts'
import {
  announceFaults,
  announceIntervalSeconds,
  announceOfferMs,
  announceOffersOfOne,
  announceOfferBurst,
  announceOffersPerSecond,
  announceOffersReceived,
  announceSwarms,
} from '../protocol/limits.ts'
import type { SdpRules } from './announce-sdp.ts'
import { rebuildSdp } from './announce-sdp.ts'
import type { Offer, ToAnnounce } from './announce-wire.ts'
import { parseToAnnounce } from './announce-wire.ts'
import { addressGroup } from './client-address.ts'
import type { Seat } from './roster.ts'
import { Roster } from './roster.ts'
import { TokenBucket } from './token-bucket.ts'
import type { Visitor } from './tracker.ts'

/** What the edge is to do: send a text, or end a connection that did too much. */
export type AnnounceEffect = { readonly to: PeerId; readonly text: string } | { readonly close: PeerId }

export interface AnnounceOptions {
  /** Whether peers of one public address may meet, and whether local candidates pass. Between local pages both do. */
  readonly lan: boolean
  readonly random: () => number
  /** Milliseconds. */
  readonly now: () => number
}

export interface AnnounceVisitor extends Visitor {
  /** Of the certificate that its pass names; undefined where no pass is asked for. */
  readonly fingerprint: string | undefined
}

interface Connection {
  readonly id: PeerId
  readonly visitor: AnnounceVisitor
  /** By swarm and peer id, as texts of 40 characters. */
  readonly members: Map<string, Member>
  readonly offers: TokenBucket
  faults: number
}

interface Member {
  readonly connection: Connection
  readonly swarm: Swarm
  readonly id: string
  /** Its id as JSON. */
  readonly json: string
  isComplete: boolean
  seat: Seat<Member> | undefined
  /** Offers that were passed on to it and may be answered, by offerer and offer. */
  readonly open: Map<string, OpenOffer>
}

interface OpenOffer {
  readonly until: number
  /** See `addressGroup`. */
  readonly group: string
}

interface Swarm {
  readonly hash: string
  readonly json: string
  readonly roster: Roster<Member>
  readonly members: Map<string, Member>
  complete: number
  downloaded: number
}

/**
 * The tracker for clients of the WebTorrent protocol. No I/O: texts come in, effects go out.
 *
 * A peer id belongs to the connection that announced it first, for as long as that lasts; an answer passes once, to
 * an offer that was passed on to just this peer.
 */
export class AnnounceTracker {
  readonly #options: AnnounceOptions
  readonly #connections = new Map<PeerId, Connection>()
  readonly #swarms = new Map<string, Swarm>()

  constructor(options: AnnounceOptions) {
    this.#options = options
  }

  get swarmCount(): number {
    return this.#swarms.size
  }

  open(id: PeerId, visitor: AnnounceVisitor): void {
    const offers = new TokenBucket(announceOfferBurst, announceOffersPerSecond, this.#options.now())
    this.#connections.set(id, { id, visitor, members: new Map(), offers, faults: 0 })
  }

  hasJoined(id: PeerId): boolean {
    return (this.#connections.get(id)?.members.size ?? 0) > 0
  }

  close(id: PeerId): void {
    const connection = this.#connections.get(id)
    this.#connections.delete(id)
    for (const member of connection?.members.values() ?? []) this.#leave(member)
  }

  receive(from: PeerId, text: string): AnnounceEffect[] {
    const connection = this.#connections.get(from)
    if (connection === undefined) return []
    let message: ToAnnounce
    try {
      message = parseToAnnounce(text)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      return refuse(connection, error.message)
    }
    switch (message.type) {
      case 'announce':
        return this.#announce(connection, message)
      case 'answer':
        return this.#answer(connection, message)
      case 'scrape':
        return [{ to: connection.id, text: this.#scrape(message.swarms) }]
    }
  }

  #announce(connection: Connection, message: Extract<ToAnnounce, { type: 'announce' }>): AnnounceEffect[] {
    const swarm = this.#swarms.get(message.swarm) ?? createSwarm(message.swarm)
    const known = swarm.members.get(message.peer)
    if (known && known.connection !== connection) {
      return refuse(connection, 'Cannot announce: another connection has this peer id', swarm)
    }
    if (message.event === 'stopped') {
      if (known) this.#leave(known)
      return [{ to: connection.id, text: replyOf(swarm) }]
    }
    if (known === undefined && connection.members.size >= announceSwarms) {
      return refuse(connection, 'Cannot announce: too many swarms on one connection', swarm)
    }
    const member = known ?? this.#join(connection, swarm, message.peer)
    if (!member.isComplete && (message.isComplete || message.event === 'completed')) {
      member.isComplete = true
      swarm.complete += 1
      if (message.event === 'completed') swarm.downloaded += 1
    }
    const effects: AnnounceEffect[] = [{ to: connection.id, text: replyOf(swarm) }]
    if (message.offers.length > 0) this.#passOffers(member, message.offers, effects)
    return effects
  }

  #passOffers(member: Member, offers: readonly Offer[], effects: AnnounceEffect[]): void {
    const { connection, swarm, seat } = member
    const now = this.#options.now()
    if (seat === undefined) return
    const others = swarm.roster.pick(seat, {
      count: offers.length,
      mayPick: (other) => this.#mayMeet(connection, other.connection) && this.#hasRoom(other, connection, now),
      loadOf: ({ open }) => open.size,
      random: this.#options.random,
    })
    let next = 0
    for (const other of others) {
      const offer = offers[next]
      next += 1
      if (offer === undefined || !connection.offers.take(now)) return
      const sdp = rebuildSdp(offer.sdp, this.#rulesOf(connection, other.connection))
      if (sdp === undefined) continue
      other.open.set(member.id + offer.id, {
        until: now + announceOfferMs,
        group: addressGroup(connection.visitor.address),
      })
      effects.push({ to: other.connection.id, text: signalText('offer', member, offer.id, sdp) })
    }
  }

  #answer(connection: Connection, message: Extract<ToAnnounce, { type: 'answer' }>): AnnounceEffect[] {
    const { swarm: hash, peer, to, answer } = message
    const member = connection.members.get(hash + peer)
    const key = to + answer.id
    const open = member?.open.get(key)
    // Silence, as for one who left: there is nothing to learn from it.
    if (member === undefined || open === undefined) return []
    member.open.delete(key)
    const other = member.swarm.members.get(to)
    if (other === undefined || open.until < this.#options.now()) return []
    const sdp = rebuildSdp(answer.sdp, this.#rulesOf(connection, other.connection))
    if (sdp === undefined) return []
    return [{ to: other.connection.id, text: signalText('answer', member, answer.id, sdp) }]
  }

  #scrape(hashes: readonly string[]): string {
    const files = hashes.map((hash) => {
      const swarm = this.#swarms.get(hash)
      const [complete, all, downloaded] = [swarm?.complete ?? 0, swarm?.members.size ?? 0, swarm?.downloaded ?? 0]
      const counts = `{"complete":${complete},"incomplete":${all - complete},"downloaded":${downloaded}}`
      return `${JSON.stringify(hash)}:${counts}`
    })
    return `{"action":"scrape","files":{${files.join(',')}}}`
  }

  #join(connection: Connection, swarm: Swarm, id: string): Member {
    this.#swarms.set(swarm.hash, swarm)
    const member: Member = {
      connection,
      swarm,
      id,
      json: JSON.stringify(id),
      isComplete: false,
      seat: undefined,
      open: new Map(),
    }
    member.seat = swarm.roster.add(member, connection.visitor.place)
    swarm.members.set(id, member)
    connection.members.set(swarm.hash + id, member)
    return member
  }

  /** One connection may speak for several, who are told of each other as of anybody. */
  #mayMeet(one: Connection, other: Connection): boolean {
    return one === other || this.#isLan(one, other) || one.visitor.address !== other.visitor.address
  }

  /**
   * Nobody is flooded with offers: those open are counted, and the old ones forgotten. One address has not all of the
   * room, or it could keep everybody else from a peer.
   */
  #hasRoom({ open, connection }: Member, from: Connection, now: number): boolean {
    if (open.size < announceOffersReceived / 2) return true
    for (const [key, { until }] of open) {
      if (until >= now) break
      open.delete(key)
    }
    if (open.size >= announceOffersReceived) return false
    if (open.size < announceOffersReceived / 2 || this.#isLan(from, connection)) return true
    const group = addressGroup(from.visitor.address)
    const own = [...open.values()].filter((offer) => offer.group === group)
    return own.length < announceOffersOfOne
  }

  #rulesOf(from: Connection, to: Connection): SdpRules {
    return { lan: this.#isLan(from, to), fingerprint: from.visitor.fingerprint }
  }

  #isLan(one: Connection, other: Connection): boolean {
    return this.#options.lan || (one.visitor.isLocalPage && other.visitor.isLocalPage)
  }

  #leave({ connection, swarm, id, isComplete, seat }: Member): void {
    connection.members.delete(swarm.hash + id)
    swarm.members.delete(id)
    if (seat) swarm.roster.remove(seat)
    if (isComplete) swarm.complete -= 1
    if (swarm.members.size === 0) this.#swarms.delete(swarm.hash)
  }
}

function createSwarm(hash: string): Swarm {
  return { hash, json: JSON.stringify(hash), roster: new Roster(), members: new Map(), complete: 0, downloaded: 0 }
}

function replyOf({ json, complete, members }: Swarm): string {
  const incomplete = members.size - complete
  return `{"action":"announce","info_hash":${json},"interval":${announceIntervalSeconds},"complete":${complete},"incomplete":${incomplete}}`
}

/** Put together from parts that are JSON already: this is what a tracker does most. */
function signalText(type: 'offer' | 'answer', from: Member, offerId: string, sdp: string): string {
  const signal = `"${type}":{"type":"${type}","sdp":${JSON.stringify(sdp)}},"offer_id":${JSON.stringify(offerId)}`
  return `{"action":"announce","info_hash":${from.swarm.json},"peer_id":${from.json},${signal}}`
}

/** Told why, as the protocol wants it; who is refused again and again is let go. */
function refuse(connection: Connection, reason: string, swarm?: Swarm): AnnounceEffect[] {
  connection.faults += 1
  const text = JSON.stringify({ action: 'announce', info_hash: swarm?.hash, 'failure reason': reason })
  const told: AnnounceEffect = { to: connection.id, text }
  return connection.faults > announceFaults ? [told, { close: connection.id }] : [told]
}
