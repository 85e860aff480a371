export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** Between the two nearest, as R's type 7 does; NaN of nothing. */
export function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (sorted.length - 1) * fraction
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** Two times that were measured one right after the other. */
export interface Pair {
  readonly withUs: number
  readonly withoutUs: number
}

export function percentileRatio(pairs: readonly Pair[], fraction: number): number {
  const of = (key: keyof Pair): number =>
    percentile(
      pairs.map((pair) => pair[key]),
      fraction,
    )
  return of('withUs') / of('withoutUs')
}

const resamples = 2000

/**
 * Below this the ratio lies with a confidence of 95 %, by the percentile bootstrap over groups of pairs that were measured
 * together (Efron and Tibshirani, An Introduction to the Bootstrap, chapters 8 and 13). The same pairs give the same bound.
 */
export function upperBound95(groups: readonly (readonly Pair[])[], fraction: number): number {
  const random = sequence(groups.length)
  const ratios = Array.from({ length: resamples }, () => {
    const drawn = groups.flatMap(() => groups[Math.floor(random() * groups.length)] ?? [])
    return percentileRatio(drawn, fraction)
  })
  return percentile(ratios, 0.95)
}

/** From 0 up to 1 (Marsaglia's xorshift32). */
function sequence(seed: number): () => number {
  let state = (Math.imul(seed, 0x9e3779b9) ^ 0x5bd1e995) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
