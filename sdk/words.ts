import { wordBurst, wordsHeard, wordsPerSecond } from '../protocol/limits.ts'
import { TokenBucket } from './budget.ts'

/** What of the site's word, as peers say that they believe it, is worth a look of the service worker. */
export class Words {
  /** What this device believes. */
  own: string | undefined
  readonly #heard = new Set<string>()
  /** By peer: who makes up many words, which costs nothing, must not drown those of the others. */
  readonly #buckets = new WeakMap<object, TokenBucket>()

  /** Each is looked at once, and not too many of one peer. */
  isNews(peer: object, envelope: string, now: number): boolean {
    if (envelope === this.own || this.#heard.has(envelope)) return false
    const bucket = this.#buckets.get(peer) ?? new TokenBucket(wordsPerSecond, wordBurst, now)
    this.#buckets.set(peer, bucket)
    if (!bucket.take(1, now)) return false
    this.#heard.add(envelope)
    const [oldest] = this.#heard
    if (this.#heard.size > wordsHeard && oldest !== undefined) this.#heard.delete(oldest)
    return true
  }
}
