import { hedgeBurst, hedgeEarliestMs, hedgeGraceMs, hedgeLatestMs, hedgeShare } from '../protocol/limits.ts'
import { RecentTimes } from './recent-times.ts'

/** A chunk that peers were asked for, times in milliseconds of one clock. */
export interface Waiting {
  readonly askedAt: number
  /** Since when the page waits for it; undefined: it is read ahead. */
  readonly neededAt: number | undefined
  /** When it may be here at the latest: after the origin alone would have brought it, and what the page can wait. */
  readonly deadlineAt: number
}

/** The last moment to ask the origin for what peers did not bring: it needs its time, too. */
export function lastAskAt({ askedAt, neededAt, deadlineAt }: Waiting, originLongMs: number): number {
  return Math.max(
    deadlineAt - originLongMs,
    neededAt === undefined ? askedAt + hedgeEarliestMs : neededAt + hedgeGraceMs,
  )
}

/**
 * When to ask the origin as well, where that was not done too often: once the page waits for longer than most chunks
 * take of peers.
 */
export function hedgeAt(waiting: Waiting, peerLongMs: number | undefined, originLongMs: number): number {
  const lastAt = lastAskAt(waiting, originLongMs)
  if (waiting.neededAt === undefined) return lastAt
  const unusualMs = Math.min(hedgeLatestMs, Math.max(hedgeEarliestMs, peerLongMs ?? 0))
  return Math.min(waiting.neededAt + unusualMs, lastAt)
}

/** How long chunks take of peers, and how often the origin may be asked for one that a peer is at. */
export class Hedges {
  readonly #times = new RecentTimes()
  #tokens = hedgeBurst

  /** How long a chunk of a peer takes when it takes long. */
  get longMs(): number | undefined {
    return this.#times.percentile(0.95)
  }

  /** A chunk came of a peer. */
  came(ms: number): void {
    this.#times.add(ms)
    this.#tokens = Math.min(hedgeBurst, this.#tokens + hedgeShare)
  }

  /** Whether one more may be asked for twice. */
  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }
}
