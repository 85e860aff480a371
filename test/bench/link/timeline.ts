/** When how many bytes had come: milliseconds since the first was asked for, and all bytes until then. */
export type Timeline = readonly (readonly [ms: number, bytes: number])[]

const megabyte = 1024 * 1024

/** Bits per second from one moment to another. */
export function rateBetween(timeline: Timeline, fromMs: number, toMs: number): number {
  return ((bytesAt(timeline, toMs) - bytesAt(timeline, fromMs)) * 8000) / (toMs - fromMs)
}

/** Milliseconds until the first MiB was there; undefined where it never was. */
export function firstMegabyteMs(timeline: Timeline): number | undefined {
  return timeline.find(([, bytes]) => bytes >= megabyte)?.[0]
}

/** Between two entries as if it had come evenly. */
function bytesAt(timeline: Timeline, ms: number): number {
  let [beforeMs, before] = [0, 0]
  for (const [atMs, bytes] of timeline) {
    if (atMs >= ms) return before + ((bytes - before) * (ms - beforeMs)) / Math.max(atMs - beforeMs, 1)
    beforeMs = atMs
    before = bytes
  }
  return before
}

/** Several timelines of one time as one. */
export function joinTimelines(timelines: readonly Timeline[]): Timeline {
  const steps = timelines.flatMap((timeline) =>
    timeline.map(([ms, bytes], at) => [ms, bytes - (timeline[at - 1]?.[1] ?? 0)] as const),
  )
  let sum = 0
  return steps.toSorted(([one], [other]) => one - other).map(([ms, bytes]) => [ms, (sum += bytes)] as const)
}
