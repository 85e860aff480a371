import type { Flight } from '../../sdk/flow-window.ts'
import { FlowWindow } from '../../sdk/flow-window.ts'

/*
 * A peer's line in simulated time, and what a browser's SCTP makes of it, as far as it hurts: it begins with ten packets,
 * opens by half as much again each round trip as long as it is kept busy, halves at a loss, mends few lost packets a round
 * trip, and gives nothing past a gap. So a queue that overflowed by some hundred packets costs seconds, as on real lines.
 */

export interface Line {
  readonly bytesPerMs: number
  readonly roundTripMs: number
  readonly queueBytes: number
  readonly lossShare?: number
  readonly jitterMs?: number
  /** Of the line, taken by others in spells of some hundred milliseconds. */
  readonly crossShare?: number
}

export interface LineRun {
  readonly window: FlowWindow
  readonly dropped: number
  /** What came in a time, of what the line could carry for us in it. */
  share(fromMs: number, toMs: number): number
  /** What a ping would have waited in our queue in a time, at worst. */
  queueMs(fromMs: number, toMs: number): number
}

interface Packet {
  readonly at: number
  readonly unit: Flight | undefined
  order: number
  sentAt: number
  state: 'sent' | 'lost' | 'here'
}

const packetBytes = 1150
const spellMs = 300
const mendedPerRoundTrip = 4

export function simulateLine(line: Line, forMs: number, random: () => number, pauses: readonly number[] = []): LineRun {
  return new Simulation(line, random, pauses).run(forMs)
}

class Simulation {
  readonly #line: Line
  readonly #random: () => number
  readonly #pauses: readonly number[]
  readonly #window = new FlowWindow()
  readonly #events: { readonly at: number; readonly act: () => void }[] = []
  readonly #packets: Packet[] = []
  readonly #arrivals: { readonly at: number; readonly bytes: number }[] = []
  readonly #waits: { readonly at: number; readonly ms: number }[] = []
  readonly #spells: boolean[] = []
  #now = 0
  #openBytes = 0
  #sent = 0
  #order = 0
  #acked = 0
  #given = 0
  #freeAt = 0
  #lastAt = 0
  #cwnd = 10
  #threshold = Infinity
  #outstanding = 0
  #recoverUntil = -1
  #mendedAt = -Infinity
  #lost = 0
  #dropped = 0

  constructor(line: Line, random: () => number, pauses: readonly number[]) {
    this.#line = line
    this.#random = random
    this.#pauses = pauses
  }

  run(forMs: number): LineRun {
    this.#at(0, () => this.#ask())
    for (const pause of this.#pauses) this.#at(pause + spellMs, () => this.#ask())
    this.#watch()
    for (let event = this.#next(); event && event.at <= forMs; event = this.#next()) {
      this.#events.shift()
      this.#now = event.at
      event.act()
    }
    return {
      window: this.#window,
      dropped: this.#dropped,
      share: (from, to) => {
        const came = this.#arrivals.filter(({ at }) => at >= from && at < to)
        let room = 0
        for (let ms = from; ms < to; ms += 10) room += this.#rateAt(ms) * 10
        return came.reduce((sum, { bytes }) => sum + bytes, 0) / room
      },
      queueMs: (from, to) => Math.max(...this.#waits.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms)),
    }
  }

  #next() {
    return this.#events[0]
  }

  #at(ms: number, act: () => void): void {
    const at = Math.max(ms, this.#now)
    const place = this.#events.findLastIndex((event) => event.at <= at)
    this.#events.splice(place + 1, 0, { at, act })
  }

  #ask(): void {
    if (this.#pauses.some((pause) => this.#now >= pause && this.#now < pause + spellMs)) return
    for (;;) {
      const bytes = this.#window.nextUnit(this.#openBytes, Infinity)
      if (bytes === 0) return
      this.#openBytes += bytes
      const flight = this.#window.asked(bytes, this.#openBytes, this.#now)
      this.#at(this.#now + this.#line.roundTripMs / 2, () => this.#answer(flight))
    }
  }

  #answer(flight: Flight): void {
    const count = Math.ceil(flight.bytes / packetBytes)
    for (let left = count; left > 0; left -= 1) {
      this.#packets.push({
        at: this.#packets.length,
        unit: left === 1 ? flight : undefined,
        order: 0,
        sentAt: 0,
        state: 'sent',
      })
    }
    this.#pump()
  }

  #pump(): void {
    if (this.#lost > 0 && this.#now - this.#mendedAt >= this.#line.roundTripMs / mendedPerRoundTrip) this.#mend()
    while (this.#outstanding < this.#cwnd) {
      const packet = this.#packets[this.#sent]
      if (packet === undefined) return
      this.#sent += 1
      this.#transmit(packet)
    }
  }

  #mend(): void {
    this.#mendedAt = this.#now
    for (let at = this.#given; at < this.#sent; at += 1) {
      const packet = this.#packets[at]
      if (packet?.state !== 'lost') continue
      packet.state = 'sent'
      this.#lost -= 1
      this.#transmit(packet)
      return
    }
  }

  #transmit(packet: Packet): void {
    const { bytesPerMs, roundTripMs, queueBytes, lossShare = 0, jitterMs = 0 } = this.#line
    this.#outstanding += 1
    this.#order += 1
    const order = (packet.order = this.#order)
    packet.sentAt = this.#now
    const waiting = Math.max(0, this.#freeAt - this.#now) * bytesPerMs
    if (waiting + packetBytes > queueBytes || this.#random() < lossShare) {
      if (waiting + packetBytes > queueBytes) this.#dropped += 1
      return
    }
    this.#freeAt = Math.max(this.#freeAt, this.#now) + packetBytes / this.#rateAt(this.#now)
    this.#lastAt = Math.max(this.#lastAt, this.#freeAt + roundTripMs / 2 + this.#random() * jitterMs)
    this.#at(this.#lastAt, () => this.#arrive(packet, order))
  }

  #arrive(packet: Packet, order: number): void {
    if (packet.state === 'lost') this.#lost -= 1
    packet.state = 'here'
    for (let next = this.#packets[this.#given]; next?.state === 'here'; next = this.#packets[this.#given]) {
      this.#given += 1
      if (next.unit) this.#deliver(next.unit)
    }
    this.#at(this.#now + this.#line.roundTripMs / 2, () => this.#acknowledge(packet, order))
  }

  #deliver(flight: Flight): void {
    this.#openBytes -= flight.bytes
    this.#arrivals.push({ at: this.#now, bytes: flight.bytes })
    this.#window.arrived(flight, this.#now)
    this.#ask()
  }

  #acknowledge(packet: Packet, order: number): void {
    const wasBusy = this.#outstanding + 1 >= this.#cwnd
    if (packet.order === order) {
      packet.order = 0
      this.#outstanding -= 1
    }
    this.#acked = Math.max(this.#acked, order)
    this.#loseWhere((other) => other.order < this.#acked - 3)
    if (wasBusy && this.#now > this.#recoverUntil) {
      this.#cwnd += this.#cwnd < this.#threshold ? 0.5 : 1 / this.#cwnd
    }
    this.#pump()
  }

  #lose(packet: Packet): void {
    packet.order = 0
    this.#outstanding -= 1
    if (packet.state === 'sent') {
      packet.state = 'lost'
      this.#lost += 1
    }
    if (this.#now > this.#recoverUntil) {
      this.#threshold = this.#cwnd = Math.max(4, this.#cwnd / 2)
      this.#recoverUntil = this.#now + this.#line.roundTripMs
    }
  }

  #loseWhere(isLost: (packet: Packet) => boolean): void {
    for (let at = this.#given; at < this.#sent; at += 1) {
      const packet = this.#packets[at]
      if (packet && packet.order > 0 && packet.state === 'sent' && isLost(packet)) this.#lose(packet)
    }
  }

  /** What is left for us. */
  #rateAt(ms: number): number {
    const { bytesPerMs, crossShare = 0 } = this.#line
    const spell = Math.floor(ms / spellMs)
    while (this.#spells.length <= spell) this.#spells.push(this.#random() < 0.5)
    return this.#spells[spell] ? bytesPerMs * (1 - crossShare) : bytesPerMs
  }

  #watch(): void {
    this.#waits.push({ at: this.#now, ms: Math.max(0, this.#freeAt - this.#now) })
    // The timer mends what the acknowledgements do not show.
    const timeoutMs = Math.max(500, this.#line.roundTripMs * 4)
    this.#loseWhere(({ sentAt }) => this.#now - sentAt > timeoutMs)
    this.#pump()
    this.#at(this.#now + 10, () => this.#watch())
  }
}
