import type { Asset } from '../protocol/chunks.ts'
import { ChunkRace } from './chunk-race.ts'
import type { Hedges } from './hedge.ts'
import type { OriginPace } from './origin-pace.ts'
import type { OriginSource } from './origin-source.ts'
import type { PageBridge } from './page-bridge.ts'
import type { PeerSource } from './peer-source.ts'
import type { ChunkSource, Delivery } from './sources.ts'
import type { Urgency } from './urgency.ts'
import type { Chunk } from './verify.ts'
import { wireShareOf } from './wire-share.ts'

export interface RaceSourceOptions {
  readonly asset: Asset
  readonly peers: PeerSource
  readonly own: OriginSource
  readonly pace: OriginPace
  readonly hedges: Hedges
  /** By how far a chunk lies behind the first byte of the response. */
  readonly urgencyOf: (aheadBytes: number) => Urgency
  /** First byte of the response. */
  readonly start: number
  readonly bridge: Pick<PageBridge, 'loads'>
  readonly now: () => number
}

/** What can wait longer is no reason to give others nothing meanwhile. */
const pressingMs = 500

/** Peers and the origin together, as a source for one response. */
export class RaceSource implements ChunkSource {
  readonly name = 'origin'
  readonly #options: RaceSourceOptions
  readonly #signal: AbortSignal
  readonly #races = new Map<number, ChunkRace>()
  /** Of which a peer gave wrong bytes. */
  readonly #refused = new Set<number>()
  /** Of the chunk asked for last. */
  #dueAt = 0
  /** The last chunk that the page waited for. */
  #needed = -1

  constructor(options: RaceSourceOptions, signal: AbortSignal) {
    this.#options = options
    this.#signal = signal
    signal.addEventListener('abort', () => this.#races.forEach((race) => race.stop()))
  }

  /** From now on the page waits for this chunk. */
  need(index: number): void {
    this.#needed = index
    this.#options.peers.need(index)
    this.#races.get(index)?.need()
  }

  async read(chunk: Chunk): Promise<Delivery | undefined> {
    const { peers, own, start, urgencyOf, asset, bridge, pace } = this.#options
    const wireBytes = chunk.length * wireShareOf(asset)
    // Where nothing is open it is the page that was slow.
    const dueAt = this.#races.size === 0 ? Infinity : this.#dueAt + pace.nextMs(wireBytes)
    if (this.#races.size === 0) pace.waits(true)
    const urgency = urgencyOf(chunk.offset - start)
    const race = new ChunkRace({
      ...this.#options,
      peers: {
        get isPromising() {
          return peers.isPromising
        },
        get areThere() {
          return peers.areThere
        },
        findAgain: () => peers.findAgain(this.#signal),
        ask: (promptMs) => peers.ask(chunk, promptMs, this.#signal),
      },
      askOrigin: () => own.ask(chunk),
      urgency,
      wireBytes,
      dueAt,
    })
    this.#races.set(chunk.index, race)
    this.#dueAt = race.dueAt
    const isPressing = urgency.patienceMs < pressingMs
    if (isPressing) bridge.loads(true)
    if (chunk.index <= this.#needed) race.need()
    try {
      const delivery = await race.result
      return delivery?.peer ? { ...delivery, refuse: () => this.#refuse(chunk, delivery) } : delivery
    } finally {
      this.#races.delete(chunk.index)
      if (this.#races.size === 0) pace.waits(false)
      if (isPressing) bridge.loads(false)
    }
  }

  /** The origin, where a peer lied about this very chunk. */
  async readAfterLie(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    return this.#refused.has(chunk.index) ? this.#options.own.read(chunk, signal) : undefined
  }

  #refuse({ index }: Chunk, delivery: Delivery): void {
    this.#refused.add(index)
    delivery.refuse()
  }
}
