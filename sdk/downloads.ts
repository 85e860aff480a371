import type { Bytes } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { ContentId } from '../protocol/ids.ts'
import { cancelledKept, unitBytes, wantsPerPeer } from '../protocol/limits.ts'
import type { PeerFrame } from '../protocol/peer-wire.ts'
import { partIndexOnWire } from '../protocol/peer-wire.ts'
import type { Clock } from './clock.ts'
import type { Flight } from './flow-window.ts'
import { FlowWindow } from './flow-window.ts'
import type { Rank } from './pick.ts'
import { RateMeter } from '../protocol/rate-meter.ts'

export type AskFailure = 'busy' | 'absent' | 'closed' | 'stalled'

/** One chunk wanted of one peer. Exactly one of `done` and `failed` is called, unless the ask is withdrawn. */
export interface ChunkAsk {
  readonly asset: ContentId
  /** As on the wire. */
  readonly index: number
  /** Of a part the most. */
  readonly length: number
  readonly rank: Rank
  done(bytes: Bytes): void
  /** `retryAfterMs` is 0 unless the peer is busy. */
  failed(reason: AskFailure, retryAfterMs: number): void
}

export interface AskHandle {
  /** How long the peer has been at it; 0 while the chunk waits here for room in the window. */
  waitedMs(now: number): number
  /** The page waits for it by now. */
  hurry(): void
  withdraw(): void
}

interface Transfer {
  readonly ask: ChunkAsk
  readonly bytes: Bytes
  asked: number
  askedAt: number | undefined
  received: number
  readonly open: Set<number>
}

interface Unit {
  readonly transfer: Transfer
  readonly offset: number
  readonly flight: Flight
}

const stallFloorMs = 300
const stallRoundTrips = 4
const rateMemoryMs = 10_000

/**
 * What is asked of one peer: by rank, and within one in the order it was wanted, cut into units, as many open as the
 * window lets.
 */
export class Downloads {
  readonly #send: (frame: PeerFrame) => void
  readonly #clock: Clock
  readonly #window = new FlowWindow()
  #rate = new RateMeter()
  /** By rank. */
  readonly #queues = [new Set<Transfer>(), new Set<Transfer>(), new Set<Transfer>()] as const
  readonly #units = new Map<number, Unit>()
  /** Numbers whose answer may still be on its way. */
  readonly #cancelled = new Set<number>()
  #request = 0
  #openBytes = 0
  #receivedBytes = 0
  #progressAt = -Infinity

  constructor(send: (frame: PeerFrame) => void, clock: Clock) {
    this.#send = send
    this.#clock = clock
  }

  get roundTripMs(): number | undefined {
    return this.#window.roundTripMs
  }

  get bytesPerSecond(): number | undefined {
    return this.#rate.bytesPerSecond
  }

  /** Wanted and not here yet, as far as it comes before another chunk of this rank. */
  queuedBytes(rank: Rank): number {
    let bytes = 0
    for (const queue of this.#queues.slice(0, rank + 1)) {
      for (const { ask, received } of queue) bytes += ask.length - received
    }
    return Math.max(bytes, this.#openBytes)
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** How long nothing came although something was asked for. */
  silentMs(now: number): number {
    return this.#units.size === 0 ? 0 : now - this.#progressAt
  }

  isStalled(now: number): boolean {
    return this.silentMs(now) > Math.max(stallFloorMs, stallRoundTrips * (this.roundTripMs ?? 0))
  }

  /** Asks for a chunk, after those that were asked for before. */
  ask(ask: ChunkAsk): AskHandle {
    const transfer: Transfer = {
      ask,
      bytes: new Uint8Array(ask.length),
      asked: 0,
      askedAt: undefined,
      received: 0,
      open: new Set(),
    }
    this.#queues[ask.rank].add(transfer)
    this.#pump()
    const withdraw = (): void => {
      this.#drop(transfer)
      this.#pump()
    }
    const hurry = (): void => {
      if (this.#queues[2].delete(transfer)) this.#queues[1].add(transfer)
    }
    return { waitedMs: (now) => now - (transfer.askedAt ?? now), hurry, withdraw }
  }

  accept(frame: Extract<PeerFrame, { type: 'data' | 'busy' | 'absent' }>): void {
    const unit = this.#units.get(frame.request)
    if (unit === undefined) {
      if (this.#cancelled.delete(frame.request)) return
      throw new ProtocolError('foreign', `Cannot take ${frame.type}: request ${frame.request} is not open`)
    }
    if (frame.type === 'data') this.#take(frame.request, unit, frame.bytes)
    else if (frame.type === 'absent' && isPartBegun(unit.transfer)) this.#end(frame.request, unit)
    else this.#fail(unit.transfer, frame)
    this.#pump()
  }

  /** Gives up all that is open; the peer's late answers are still forgiven. */
  failAll(reason: AskFailure): void {
    if (reason === 'stalled') this.#window.stalled()
    const transfers = this.#queues.flatMap((queue) => [...queue])
    for (const transfer of transfers) this.#drop(transfer)
    for (const transfer of transfers) transfer.ask.failed(reason, 0)
  }

  #take(request: number, unit: Unit, bytes: Uint8Array): void {
    const { transfer, flight } = unit
    const isPart = transfer.ask.index === partIndexOnWire
    if (isPart ? bytes.length > flight.bytes : bytes.length !== flight.bytes) {
      throw new ProtocolError('malformed', `Cannot take data: ${bytes.length} bytes instead of ${flight.bytes}`)
    }
    const now = this.#clock.now()
    this.#close(request, unit)
    this.#progressAt = now
    this.#receivedBytes += bytes.length
    this.#rate.moved(bytes.length, now)
    if (this.#units.size === 0) this.#rate.paused()
    this.#window.arrived(flight, now)
    transfer.bytes.set(bytes, unit.offset)
    transfer.received += bytes.length
    const isLast = isPart && bytes.length < flight.bytes
    if (isLast || transfer.received === transfer.bytes.length) this.#finish(transfer)
  }

  #finish(transfer: Transfer): void {
    this.#forget(transfer)
    const { bytes, received } = transfer
    transfer.ask.done(received === bytes.length ? bytes : bytes.slice(0, received))
  }

  /** It ended with the unit before. */
  #end(request: number, unit: Unit): void {
    this.#progressAt = this.#clock.now()
    this.#close(request, unit)
    if (this.#units.size === 0) this.#rate.paused()
    this.#finish(unit.transfer)
  }

  #fail(transfer: Transfer, frame: Extract<PeerFrame, { type: 'busy' | 'absent' }>): void {
    this.#progressAt = this.#clock.now()
    this.#drop(transfer, frame.request)
    transfer.ask.failed(frame.type, frame.type === 'busy' ? frame.retryAfterMs : 0)
  }

  #drop(transfer: Transfer, answered?: number): void {
    if (!this.#forget(transfer)) return
    for (const request of transfer.open) {
      const unit = this.#units.get(request)
      if (unit) this.#close(request, unit)
      if (request !== answered) this.#cancel(request)
    }
    if (this.#units.size === 0) this.#rate.paused()
  }

  #forget(transfer: Transfer): boolean {
    return this.#queues.some((queue) => queue.delete(transfer))
  }

  #cancel(request: number): void {
    this.#cancelled.add(request)
    for (const oldest of this.#cancelled) {
      if (this.#cancelled.size <= cancelledKept) break
      this.#cancelled.delete(oldest)
    }
    this.#send({ type: 'cancel', request })
  }

  #close(request: number, unit: Unit): void {
    this.#units.delete(request)
    unit.transfer.open.delete(request)
    this.#openBytes -= unit.flight.bytes
  }

  #pump(): void {
    for (const queue of this.#queues) {
      for (const transfer of queue) if (!this.#wantAll(transfer)) return
    }
  }

  /** Whether the window let it be asked for to its end. */
  #wantAll(transfer: Transfer): boolean {
    const isPart = transfer.ask.index === partIndexOnWire
    while (transfer.asked < transfer.bytes.length) {
      // Most parts are one unit long: what lies behind the end is not asked for.
      if (isPart && transfer.open.size > 0) return true
      const left = transfer.bytes.length - transfer.asked
      const unit = this.#window.nextUnit(this.#openBytes, left)
      if (this.#units.size >= wantsPerPeer || unit === 0) return false
      const length = Math.min(left, isPart ? unitBytes : unit)
      this.#want(transfer, length)
    }
    return true
  }

  #want(transfer: Transfer, length: number): void {
    const now = this.#clock.now()
    if (this.#units.size === 0) {
      // What was a bad moment is none for ever: a peer that seems slow would not be asked, and so never measured anew.
      if (now - this.#progressAt > rateMemoryMs) this.#rate = new RateMeter()
      this.#progressAt = now
    }
    this.#rate.started(now)
    this.#request += 1
    const offset = transfer.asked
    transfer.asked += length
    transfer.askedAt ??= now
    transfer.open.add(this.#request)
    this.#openBytes += length
    const flight = this.#window.asked(length, this.#openBytes, now)
    this.#units.set(this.#request, { transfer, offset, flight })
    const { asset, index } = transfer.ask
    this.#send({ type: 'want', request: this.#request, asset, index, offset, length })
  }
}

function isPartBegun({ ask, received }: Transfer): boolean {
  return ask.index === partIndexOnWire && received > 0
}
