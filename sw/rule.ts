import type { PassTrust } from '../protocol/pass.ts'

/** What the site and its operator allow this device. */
export interface Rule {
  /** Whether it may have peers at all. */
  readonly peers: boolean
  /** Until when it may serve others, in milliseconds since 1970; 0: not at all. */
  readonly servesUntil: number
  /** Whether neither origin nor tracker can be reached, so that the grace holds. */
  readonly isCutOff: boolean
  /** Path prefixes that peers have nothing to do with. */
  readonly off: readonly string[]
  /** The fresh that is believed, in its envelope. */
  readonly word: string | undefined
  /** Whose passes are believed. */
  readonly passes: PassTrust | undefined
}
