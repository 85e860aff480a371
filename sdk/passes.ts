import { clockSkewSeconds } from '../protocol/limits.ts'
import type { PassTrust } from '../protocol/pass.ts'
import { openPass } from '../protocol/pass.ts'
import type { Clock } from './clock.ts'

/** What a pass that holds opens. */
export interface OpenedPass {
  readonly sections: readonly string[]
  /** How long it still holds. */
  readonly leftMs: number
}

/**
 * Our own pass, and what the passes of peers are checked against: keys and time come from the service worker, which
 * follows the site's root from the one that is pinned in its file. Neither tracker nor peers have a say in them.
 */
export class Passes {
  /** Shown to peers. */
  own = ''
  readonly #clock: Clock
  #setFirst: (trust: PassTrust) => void = () => {}
  #trust: Promise<PassTrust>
  /** What the origin's seconds since 1970 are ahead of our clock. */
  #aheadSeconds = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#trust = new Promise((resolve) => (this.#setFirst = resolve))
  }

  /** Resolves when the passes of peers can be checked. */
  get ready(): Promise<unknown> {
    return this.#trust
  }

  /** @param now the origin's time, seconds since 1970 */
  follow(trust: PassTrust, now: number): void {
    this.#aheadSeconds = now - this.#clock.now() / 1000
    this.#setFirst(trust)
    this.#trust = Promise.resolve(trust)
  }

  /** Throws a ProtocolError where a peer with this certificate has no right to this pass. */
  async open(token: string, fingerprint: string): Promise<OpenedPass> {
    const trust = await this.#trust
    const now = this.#clock.now() / 1000 + this.#aheadSeconds
    const { sections, expires } = await openPass(token, trust, fingerprint, now)
    return { sections, leftMs: (expires + clockSkewSeconds - now) * 1000 }
  }
}
