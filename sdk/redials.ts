import type { PeerId } from '../protocol/ids.ts'
import { introductionsKept, offersPerPair } from '../protocol/limits.ts'
import { backoffMs } from './backoff.ts'

interface Tries {
  count: number
  /** How often all tries of one introduction were in vain. */
  rounds: number
  restsUntil: number
}

const firstPauseMs = 1000
const longestPauseMs = 16_000
const firstRestMs = 60_000
const longestRestMs = 600_000
/** Of those that a peer is worth which was a good one: most that leave are gone for good. */
const triesOfLost = 2

/**
 * When a peer is dialled again that could not be reached, or was lost: a few times with growing pauses, and then when
 * the tracker, which knows who is there, introduces it once more.
 */
export class Redials {
  readonly #random: () => number
  readonly #tries = new Map<PeerId, Tries>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Whether an introduction comes too soon. */
  isResting(peer: PeerId, now: number): boolean {
    return now < (this.#tries.get(peer)?.restsUntil ?? 0)
  }

  /** The pause before the next try; undefined where there is none for now. @param wasGood it stood for long */
  ended(peer: PeerId, wasGood: boolean, now: number): number | undefined {
    const before = wasGood ? { count: offersPerPair - triesOfLost - 1, rounds: 0 } : this.#tries.get(peer)
    const tries = { count: (before?.count ?? 0) + 1, rounds: before?.rounds ?? 0, restsUntil: 0 }
    this.#keep(peer, tries)
    if (tries.count < offersPerPair) return backoffMs(tries.count - 1, firstPauseMs, longestPauseMs, this.#random)
    this.rest(peer, now)
    return undefined
  }

  /** No more tries until it is introduced again, and that not too soon. */
  rest(peer: PeerId, now: number): void {
    const rounds = this.#tries.get(peer)?.rounds ?? 0
    const restsUntil = now + backoffMs(rounds, firstRestMs, longestRestMs, this.#random)
    this.#keep(peer, { count: 0, rounds: rounds + 1, restsUntil })
  }

  #keep(peer: PeerId, tries: Tries): void {
    this.#tries.delete(peer)
    this.#tries.set(peer, tries)
    const [oldest] = this.#tries.keys()
    if (this.#tries.size > introductionsKept && oldest !== undefined) this.#tries.delete(oldest)
  }
}
