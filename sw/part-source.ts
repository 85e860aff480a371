import { partIndex } from '../protocol/bridge.ts'
import type { Bytes } from '../protocol/bytes.ts'
import { contentIdOf } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import {
  partLimitBytes,
  partRescueTries,
  partRestMs,
  partSlowMs,
  peerChunkDeadlineMs,
  peerListDeadlineMs,
} from '../protocol/limits.ts'
import type { PageBridge } from './page-bridge.ts'

export interface PartSourceOptions {
  readonly bridge: Pick<PageBridge, 'isLinked' | 'read'>
  readonly origin: { readPart(id: ContentId): Promise<Bytes> }
  readonly mayUsePeers: () => boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * Bins and index pages from other visitors, who may have read the same, else from the origin. A cold page waits for
 * nobody: without a connection the exchange says so at once, and peers that cost time are left alone for a while. Where
 * the origin is gone, peers are all that is left, and are asked again.
 */
export class PartSource {
  readonly #options: PartSourceOptions
  #restUntil = Number.NEGATIVE_INFINITY

  constructor(options: PartSourceOptions) {
    this.#options = options
  }

  async read(id: ContentId): Promise<Bytes> {
    const { origin, now } = this.#options
    const given = now() < this.#restUntil ? undefined : await this.#ask(id, peerListDeadlineMs)
    if (given instanceof Uint8Array) return given
    try {
      return await origin.readPart(id)
    } catch (error) {
      for (let left = partRescueTries; left > 0; left -= 1) {
        const saved = await this.#ask(id, peerChunkDeadlineMs)
        if (saved instanceof Uint8Array) return saved
        if (saved === 'nobody') break
      }
      throw error
    }
  }

  /** What a peer gave, checked; `nobody` where there is none to ask. */
  async #ask(id: ContentId, deadlineMs: number): Promise<Bytes | 'nobody' | undefined> {
    const { bridge, mayUsePeers, now } = this.#options
    if (!bridge.isLinked || !mayUsePeers()) return 'nobody'
    const askedAt = now()
    const ask = { index: partIndex, length: partLimitBytes, deadlineMs, promptMs: deadlineMs, isUrgent: true }
    const answer = await bridge.read({ id, section: '/' }, ask, new AbortController().signal).answer
    if (typeof answer !== 'string') {
      if ((await contentIdOf(answer.bytes)) === id) return answer.bytes
      answer.blame()
      return undefined
    }
    if (now() - askedAt >= partSlowMs) this.#restUntil = now() + partRestMs
    return answer === 'nobody' || answer === 'stopped' ? 'nobody' : undefined
  }
}
