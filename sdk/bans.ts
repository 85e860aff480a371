import type { PeerId } from '../protocol/ids.ts'
import { bansKept } from '../protocol/limits.ts'
import type { Memory } from './memory.ts'

/**
 * Peers that sent wrong bytes or broke the protocol, for as long as this tab is open. The tracker gives a peer a new id
 * at each connection, so its DTLS certificate is remembered as well, which lasts until that peer leaves its page.
 */
export class Bans {
  readonly #memory: Memory
  readonly #marks: Set<string>
  #count: number

  constructor(memory: Memory) {
    this.#memory = memory
    const [count, ...marks] = memory.get('bans')?.split(' ') ?? []
    this.#count = Number(count) || 0
    this.#marks = new Set(marks)
  }

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
    this.#memory.set('bans', [this.#count, ...this.#marks].join(' '))
  }

  has(mark: string): boolean {
    return this.#marks.has(mark)
  }
}
