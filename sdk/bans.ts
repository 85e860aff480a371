import type { PeerId } from '../protocol/ids.ts'
import { bansKept } from '../protocol/limits.ts'

/**
 * Peers that sent wrong bytes or broke the protocol, until the page is left. The tracker gives a peer a new id at
 * each connection, so its DTLS certificate is remembered as well.
 */
export class Bans {
  readonly #marks = new Set<string>()
  #count = 0

  /** How many peers were banned. */
  get count(): number {
    return this.#count
  }

  add(peer: PeerId, fingerprint: string | undefined): void {
    // Each of its chunks that were on their way may be found wrong.
    if (!this.#marks.has(peer)) this.#count += 1
    this.#marks.add(peer)
    if (fingerprint !== undefined) this.#marks.add(fingerprint)
    for (const oldest of this.#marks) {
      if (this.#marks.size <= bansKept) break
      this.#marks.delete(oldest)
    }
  }

  has(mark: string): boolean {
    return this.#marks.has(mark)
  }
}
