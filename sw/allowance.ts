import { signersOf } from '../protocol/head-roles.ts'
import type { HeadRole, NamedHead } from '../protocol/manifest.ts'
import { releaseRole } from '../protocol/manifest.ts'
import { passTrustOf } from '../protocol/pass.ts'
import type { Belief } from './belief.ts'
import type { KeptState } from './kept-state.ts'
import { loadLot } from './lot.ts'
import type { Rule } from './rule.ts'

export interface AllowanceOptions {
  readonly belief: Belief
  readonly origin: { readonly clockOffsetMs: number }
  readonly isOriginSilent: () => boolean
  /** The origin's time as far as it is known, in seconds since 1970. */
  readonly seconds: () => number
  /** What holds for this device from now on. */
  readonly onRule: (rule: Rule) => void
}

/** What this device may have to do with peers, from all that is known. */
export class Allowance {
  readonly #options: AllowanceOptions
  #lot = 1
  #isTrackerReachable = false
  /** By role: of two heads with this number, nobody knows which is the site's. */
  readonly #doubtedSeqs = new Map<HeadRole, number>()
  #told = ''

  constructor(options: AllowanceOptions) {
    this.#options = options
  }

  /** Once, before all else. */
  async load(state: KeptState, random: () => number, report: (error: unknown) => void): Promise<void> {
    this.#lot = await loadLot(state, random, report)
  }

  trackerIs(isReachable: boolean): void {
    this.#isTrackerReachable = isReachable
    this.tellChanges()
  }

  /** Two heads have the number of this one. */
  doubt({ role, seq }: NamedHead): void {
    this.#doubtedSeqs.set(role, seq)
    this.tellChanges()
  }

  /** @param path what peers are to be asked for; without one, whether they are asked at all */
  mayUsePeers(path?: string): boolean {
    const { trusted } = this.#options.belief
    if (trusted === undefined || !this.#isLetIn || !trusted.hasLiveHead(this.#options.seconds())) return false
    if (!trusted.mayUsePeers(this.#options.seconds(), this.#isCutOff)) return false
    const isOff = path !== undefined && this.#off.some((prefix) => path.startsWith(prefix))
    return path === undefined || (!isOff && trusted.isCurrentAt(path, this.#options.seconds()))
  }

  tellChanges(): void {
    const { belief, origin, onRule } = this.#options
    const { fresh, root } = belief.trusted ?? {}
    const seconds = fresh && this.mayUsePeers() ? fresh.expires + (this.#isCutOff ? fresh.grace : 0) : 0
    // In this device's own time.
    const servesUntil = seconds === 0 ? 0 : seconds * 1000 - origin.clockOffsetMs
    const rule: Rule = {
      peers: this.#isLetIn,
      servesUntil,
      isCutOff: this.#isCutOff,
      off: this.#off,
      word: belief.saved?.fresh,
      passes: root && passTrustOf(root),
    }
    const told = JSON.stringify(rule)
    if (told === this.#told) return
    this.#told = told
    onRule(rule)
  }

  /** Tells what holds, also where it was told before. */
  tellAgain(): void {
    this.#told = ''
    this.tellChanges()
  }

  /** Whether the operator lets this device have peers, as far as is known. */
  get #isLetIn(): boolean {
    const { fresh } = this.#options.belief.trusted ?? {}
    const isInDoubt = fresh?.heads.some((named) => named.role === releaseRole && this.#isDoubted(named))
    return fresh === undefined || (fresh.peers && fresh.share > this.#lot && isInDoubt !== true)
  }

  /** Where peers have nothing to do. Who casts doubt on a delegate's head takes them from its own paths alone. */
  get #off(): readonly string[] {
    const { fresh, root } = this.#options.belief.trusted ?? {}
    if (fresh === undefined || root === undefined) return []
    const doubted = fresh.heads.filter((named) => this.#isDoubted(named))
    return [...fresh.off, ...doubted.flatMap(({ role }) => signersOf(root, role)?.prefixes ?? [])]
  }

  get #isCutOff(): boolean {
    return this.#options.isOriginSilent() && !this.#isTrackerReachable
  }

  #isDoubted({ role, seq }: NamedHead): boolean {
    return this.#doubtedSeqs.get(role) === seq
  }
}
