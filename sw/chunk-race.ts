import { findAgainMs, hedgeEarliestMs, refusalMs } from '../protocol/limits.ts'
import type { Hedges, Waiting } from './hedge.ts'
import { hedgeAt, lastAskAt } from './hedge.ts'
import type { OriginPace } from './origin-pace.ts'
import type { Ask, Delivery } from './sources.ts'
import type { Urgency } from './urgency.ts'
import { promptMsOf } from './urgency.ts'

/** Other visitors, as a race needs them. */
export interface RacePeers {
  /** Whether they are worth asking at all. */
  readonly isPromising: boolean
  /** Whether anybody holds the asset, however late they were. */
  readonly areThere: boolean
  /** Looks again for somebody who holds the asset, not too often. */
  findAgain(): void
  /** @param promptMs only who is expected to give it so soon is asked */
  ask(promptMs: number): Ask
}

export interface RaceOptions {
  readonly peers: RacePeers
  readonly askOrigin: () => Ask
  readonly pace: OriginPace
  readonly hedges: Hedges
  readonly urgency: Urgency
  /** Bytes of the chunk, as the origin would send them. */
  readonly wireBytes: number
  /** By when the origin alone would have it, going by the chunks before it: one late chunk must not excuse the next. */
  readonly dueAt: number
  readonly now: () => number
}

type Side = 'peer' | 'origin'

/**
 * One chunk, of peers or of the origin, whoever is expected to bring it in time. Peers that hold it are asked as long
 * as they are no later than the origin alone would be; where they are late after all, the origin is asked as well, or
 * instead where that was done often. Of the origin it is asked back where peers come that are sooner, or the origin
 * hangs. Who loses is told to stop.
 */
export class ChunkRace {
  readonly result: Promise<Delivery | undefined>
  readonly #options: RaceOptions
  readonly #askedAt: number
  /** When the origin alone would have brought it. */
  readonly #dueAt: number
  readonly #open: Partial<Record<Side, Ask>> = {}
  #resolve: (delivery: Delivery | undefined) => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #neededAt: number | undefined
  /** Until peers are looked for again. */
  #againMs = findAgainMs / 4
  /** Peers are to have it instead of the origin, if they do not refuse. */
  #isHandover = false
  #originError: unknown
  #hasOriginFailed = false
  #peersAskedAt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #isOver = false

  constructor(options: RaceOptions) {
    this.#options = options
    this.#askedAt = options.now()
    this.#dueAt = Math.min(this.#askedAt + options.pace.dueMs(options.wireBytes), options.dueAt)
    const wait = options.pace.waitFor(options.wireBytes)
    this.result = new Promise<Delivery | undefined>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    }).finally(wait)
    if (options.peers.isPromising) this.#begin()
    else this.#askOrigin()
  }

  #begin(): void {
    this.#askPeers(promptMsOf(this.#options.urgency, this.#dueAt - this.#askedAt))
  }

  get dueAt(): number {
    return this.#dueAt
  }

  /** From now on the page waits for it. */
  need(): void {
    this.#neededAt ??= this.#options.now()
    this.#arm()
  }

  /** Nobody waits for it any more. */
  stop(): void {
    if (this.#isOver) return
    this.#end(false)
    this.#resolve(undefined)
  }

  #askPeers(promptMs: number): void {
    this.#peersAskedAt = this.#options.now()
    this.#start('peer', this.#options.peers.ask(Math.max(0, promptMs)))
  }

  #askOrigin(): void {
    this.#start('origin', this.#options.askOrigin())
  }

  #start(side: Side, ask: Ask): void {
    this.#open[side] = ask
    const ended = (delivery: Delivery | undefined, error?: unknown): void => {
      if (this.#open[side] !== ask) return
      delete this.#open[side]
      if (delivery) this.#won(side, delivery)
      else this.#failed(side, error)
    }
    ask.answer.then(ended, (error: unknown) => ended(undefined, error))
    this.#arm()
  }

  #won(side: Side, delivery: Delivery): void {
    const { hedges, now } = this.#options
    if (side === 'peer') hedges.came(now() - this.#peersAskedAt)
    this.#end()
    this.#resolve(delivery)
  }

  #failed(side: Side, error: unknown): void {
    if (side === 'origin') {
      this.#hasOriginFailed = true
      this.#originError = error
    }
    if (this.#open.peer || this.#open.origin) return this.#arm()
    if (!this.#hasOriginFailed) return this.#askOrigin()
    this.#end()
    if (this.#originError === undefined) this.#resolve(undefined)
    else this.#reject(this.#originError)
  }

  #end(isLate = true): void {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#open.peer?.withdraw(isLate)
    this.#open.origin?.withdraw(isLate)
    delete this.#open.peer
    delete this.#open.origin
  }

  #arm(): void {
    clearTimeout(this.#timer)
    const { peer, origin } = this.#open
    if (this.#isOver) return
    if (peer && origin && this.#isHandover) {
      this.#timer = setTimeout(() => this.#handOver(), refusalMs)
      return
    }
    this.#isHandover = false
    // Both sides at work, or one of them done for: there is nothing left to decide.
    if (peer && (origin || this.#hasOriginFailed)) return
    const { hedges, pace, now } = this.#options
    const waitMs = peer ? hedgeAt(this.#waiting, hedges.longMs, pace.longLatencyMs) - now() : this.#againMs
    this.#timer = setTimeout(() => (this.#open.peer ? this.#late() : this.#lookAgain()), Math.max(0, waitMs))
  }

  get #waiting(): Waiting {
    const { pace, urgency } = this.#options
    const deadlineAt = this.#dueAt + urgency.patienceMs + pace.longLatencyMs
    return { askedAt: this.#peersAskedAt, neededAt: this.#neededAt, deadlineAt }
  }

  /** The peer is late: the origin as well, or in the end instead. */
  #late(): void {
    const { hedges, pace, now } = this.#options
    if (!hedges.take()) {
      const leftMs = lastAskAt(this.#waiting, pace.longLatencyMs) - now()
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#late(), leftMs)
        return
      }
      this.#open.peer?.withdraw(true)
      delete this.#open.peer
    }
    this.#askOrigin()
  }

  #handOver(): void {
    this.#isHandover = false
    if (this.#open.origin?.isComing?.() === false) {
      this.#open.origin.withdraw(false)
      delete this.#open.origin
    }
    this.#arm()
  }

  /** It waits for the origin: by now peers may be there who are sooner, or the origin may hang. */
  #lookAgain(): void {
    const { peers, pace, urgency, now } = this.#options
    const leftMs = this.#dueAt - now()
    this.#againMs = Math.min(longPromptMs, this.#againMs * 2)
    peers.findAgain()
    if (peers.areThere && (pace.isHanging || leftMs < -hedgeEarliestMs)) this.#askPeers(longPromptMs)
    else if (peers.isPromising && leftMs > 0 && !this.#open.origin?.isComing?.()) {
      this.#isHandover = true
      this.#askPeers(promptMsOf(urgency, leftMs))
    } else this.#arm()
  }
}

/** What peers may be expected to take where the origin gives nothing. */
const longPromptMs = 2000
