/** What goes first: lists, without which chunks are of no use, then what the page waits for, then what is read ahead. */
export type Rank = 0 | 1 | 2

/** What a choice between holders of a chunk goes by. */
export interface HolderView {
  readonly roundTripMs: number | undefined
  readonly bytesPerSecond: number | undefined
  /** Asked of this peer and not here yet, as far as it comes before more of this rank. */
  queuedBytes(rank: Rank): number
  /** Between 0 and 1, recent tries weighing most. */
  readonly failureRate: number
}

const unknownRoundTripMs = 50
const unknownBytesPerSecond = 2_000_000
const failurePenalty = 3

/** What somebody asks for. */
export interface Need {
  readonly length: number
  readonly rank: Rank
}

/**
 * When it would be here, in milliseconds from now: after what was asked before, and the later the more often the
 * holder failed.
 */
export function expectedFinishMs(holder: HolderView, { length, rank }: Need): number {
  const transferMs = ((holder.queuedBytes(rank) + length) / (holder.bytesPerSecond ?? unknownBytesPerSecond)) * 1000
  const roundTripMs = holder.roundTripMs ?? unknownRoundTripMs
  return (roundTripMs + transferMs) * (1 + failurePenalty * holder.failureRate)
}

/**
 * The sooner of two holders drawn at random: almost as even as comparing all, and many requesters that see the same
 * numbers do not run to the same holder (Mitzenmacher, "The Power of Two Choices", 2001).
 */
export function pickPeer<Holder extends HolderView>(
  holders: readonly Holder[],
  need: Need,
  random: () => number,
): Holder | undefined {
  const at = Math.floor(random() * holders.length)
  const one = holders[at]
  const step = 1 + Math.floor(random() * (holders.length - 1))
  const other = holders[(at + step) % holders.length]
  if (one === undefined || other === undefined) return one
  return expectedFinishMs(other, need) < expectedFinishMs(one, need) ? other : one
}
