import { burstBytes, smallUnitBytes, unitBytes, windowCeilingBytes, windowStartBytes } from '../protocol/limits.ts'

/** A unit that was asked for. */
export interface Flight {
  readonly bytes: number
  readonly askedAt: number
  /** What might be open then. */
  readonly window: number
  /** Whether the window was what limited us; if not, its size proves nothing and does not grow. */
  readonly wasFull: boolean
  /** Whether the window was held low to see the empty line. */
  readonly wasLow: boolean
}

const probeBytes = 1024
const targetQueueMs = 12
/** While the window opens: half a round trip, but within these. */
const openingQueueMs = { least: 15, most: 18 }
const openingQueueBytes = 2 * unitBytes
const openedQueueMs = 10
const openingGrowth = 1.1
/** Less than that is no queue: then the window goes where it should be at once. */
const emptyMs = 4
const basePeriodMs = 10_000
/** Of a round trip's worth: then nothing waits, and little is lost. */
const lowShare = 0.75
/** What a unit takes on the line at most, so that one alone is no queue. */
const unitMs = 13
const unitsQueued = 1.5
const unitsOpen = 2
/** What each unit that came allows to ask for, until the window is full. */
const unitsPerUnit = 2

/*
 * How many bytes to have asked of one peer at a time. A browser's SCTP overfills a home line's queue and then crawls
 * for seconds, so the asker goes by delay, as FAST TCP does (Wei et al., 2006): what is open beyond one round trip's
 * worth at the present rate waits somewhere, and that is to be 12 ms' worth.
 *
 * A longer delay alone says little: where the sender's own congestion window is small, what we ask for waits there and
 * spoils nobody's line. Then the rate is low, too, and a window that followed the delay down would keep it so. Hence
 * always the present rate's worth and something more: it grows with the rate.
 *
 * Who always has something waiting never sees the empty line. So now and then the window falls below a round trip's
 * worth, until a small unit told the true one.
 */
export class FlowWindow {
  #bytes = windowStartBytes
  #isOpening = true
  #smoothedMs: number | undefined
  /** Bytes a millisecond. */
  #rate = 0
  /** Of the round trip that began then. */
  #roundRate = 0
  #roundSince = -Infinity
  #bestRate = 0
  /** The quickest of this period and of the one before: an old route's delay is forgotten. */
  #base = Infinity
  #baseBefore = Infinity
  #baseSince = -Infinity
  #low: 'no' | 'due' | 'measuring' = 'due'
  #measuredSince = 0
  /** What may be asked for at once: after a pause, a whole window would be more than a queue holds. */
  #credit = 0

  /** How many may be open. */
  get bytes(): number {
    if (this.#low === 'no' || this.#rate === 0) return this.#bytes
    return Math.min(this.#bytes, Math.max(unitsOpen * this.#unit, this.#rate * this.#baseMs * lowShare))
  }

  get roundTripMs(): number | undefined {
    return this.#smoothedMs
  }

  /** How much to ask for in the next unit, of so much; 0 while enough is open. */
  nextUnit(openBytes: number, left: number): number {
    if (openBytes === 0) this.#credit = burstBytes
    // What is one unit anyway is small enough to measure with.
    const bytes = this.#low === 'due' && left > unitBytes ? probeBytes : this.#unit
    return openBytes + bytes > this.bytes || bytes > this.#credit ? 0 : bytes
  }

  /** @param openBytes with this unit */
  asked(bytes: number, openBytes: number, now: number): Flight {
    this.#credit -= bytes
    if (this.#low === 'due') {
      this.#low = 'measuring'
      this.#measuredSince = now
    }
    const window = this.bytes
    const wasFull = openBytes + this.#unit > window
    return { bytes, askedAt: now, window, wasFull, wasLow: this.#low !== 'no' && this.#rate > 0 }
  }

  arrived(flight: Flight, now: number): void {
    const { bytes, askedAt, window, wasFull } = flight
    const delayMs = Math.max(now - askedAt, 0.1)
    this.#smoothedMs = this.#smoothedMs === undefined ? delayMs : this.#smoothedMs + (delayMs - this.#smoothedMs) / 8
    this.#credit = Math.min(burstBytes, this.#credit + bytes * unitsPerUnit)
    this.#learnBase(delayMs, now)
    if (this.#low === 'measuring' && askedAt >= this.#measuredSince) this.#low = 'no'
    if (flight.wasLow) return
    const rate = window / delayMs
    if (!this.#isOpening) this.#steer(rate, delayMs, flight)
    else if (wasFull) this.#open(rate, delayMs, askedAt, now)
    if (wasFull) this.#rate += (rate - this.#rate) * (this.#rate === 0 ? 1 : Math.min(1, bytes / window))
  }

  /** Nothing came for too long: start from below. */
  stalled(): void {
    this.#isOpening = false
    this.#set(this.#bytes / 2)
  }

  get #baseMs(): number {
    return Math.min(this.#base, this.#baseBefore)
  }

  get #unit(): number {
    if (this.#isOpening) return unitBytes
    return Math.min(unitBytes, Math.max(smallUnitBytes, Math.round((this.#rate * unitMs) / 1024) * 1024))
  }

  /** As fast as the sender's own window opens, and until neither it nor the line gives more. */
  #open(rate: number, delayMs: number, askedAt: number, now: number): void {
    const { least, most } = openingQueueMs
    const queueMs = Math.min(most, Math.max(least, this.#baseMs / 2))
    this.#set(Math.max(this.#bytes, rate * this.#baseMs + Math.max(openingQueueBytes, rate * queueMs + unitBytes / 2)))
    this.#roundRate = Math.max(this.#roundRate, rate)
    if (askedAt < this.#roundSince) return
    const isGrowing = this.#roundRate > this.#bestRate * openingGrowth
    this.#bestRate = Math.max(this.#bestRate, this.#roundRate)
    this.#roundSince = now
    this.#roundRate = 0
    if (isGrowing || delayMs - this.#baseMs < openedQueueMs) return
    this.#isOpening = false
    this.#low = 'due'
  }

  #steer(rate: number, delayMs: number, { bytes, window, wasFull }: Flight): void {
    const wanted = rate * this.#baseMs + Math.max(unitsQueued * this.#unit, rate * targetQueueMs)
    if (wanted > this.#bytes && !wasFull) return
    const isEmpty = delayMs - this.#baseMs < emptyMs
    const share = isEmpty && wanted > this.#bytes ? 1 : Math.min(1, bytes / window)
    this.#set(this.#bytes + (wanted - this.#bytes) * share)
  }

  #set(bytes: number): void {
    this.#bytes = Math.min(windowCeilingBytes, Math.max(unitsOpen * this.#unit, bytes))
  }

  #learnBase(delayMs: number, now: number): void {
    if (now - this.#baseSince > basePeriodMs) {
      if (this.#baseSince > -Infinity) this.#low = 'due'
      this.#baseBefore = this.#base
      this.#base = Infinity
      this.#baseSince = now
    }
    this.#base = Math.min(this.#base, delayMs)
  }
}
