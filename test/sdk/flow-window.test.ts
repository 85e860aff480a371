import { describe, expect, test } from 'vitest'
import { burstBytes, smallUnitBytes, unitBytes, windowCeilingBytes, windowStartBytes } from '../../protocol/limits.ts'
import { FlowWindow } from '../../sdk/flow-window.ts'
import type { Line } from './line-simulation.ts'
import { simulateLine } from './line-simulation.ts'

const near = { bytesPerMs: 6250, roundTripMs: 20, queueBytes: 256_000 }
const far = { ...near, roundTripMs: 50 }
const uplink = { bytesPerMs: 1250, roundTripMs: 40, queueBytes: 128_000 }
const lines: readonly (readonly [name: string, line: Line])[] = [
  ['50 Mbit/s, near', near],
  ['50 Mbit/s, far', far],
  ['a home uplink', uplink],
]

/** Mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

test.each(lines)('FlowWindow fills %s, overfills no queue and keeps it short', (_, line) => {
  const run = simulateLine(line, 12_000, randomOf(1))
  expect(run.share(2000, 12_000)).toBeGreaterThan(0.93)
  expect(run.dropped).toBe(0)
  expect(run.queueMs(0, 12_000)).toBeLessThan(40)
})

describe.each(lines)('FlowWindow on %s', (_, line) => {
  test.each(Array.from({ length: 20 }, (__, seed) => seed + 1))(
    'never collapses under jitter and cross traffic, seed %i',
    (seed) => {
      const run = simulateLine({ ...line, jitterMs: 10, crossShare: 0.25 }, 12_000, randomOf(seed))
      for (let from = 1000; from <= 7000; from += 1000) expect(run.share(from, from + 5000)).toBeGreaterThan(0.5)
    },
  )
})

test.each(lines)('FlowWindow begins again after a pause without overfilling the queue: %s', (_, line) => {
  const run = simulateLine(line, 10_000, randomOf(2), [3000, 5000, 7000])
  expect(run.dropped).toBe(0)
  expect(run.share(8000, 10_000)).toBeGreaterThan(0.9)
})

test('FlowWindow does not follow the delay down where the sender has a small window of its own', () => {
  // What a loss leaves: twenty kilobytes a round trip, and all else waits at the sender.
  const run = simulateLine({ ...far, lossShare: 0.002 }, 20_000, randomOf(3))
  expect(run.window.bytes).toBeGreaterThan(unitBytes * 2)
  const calm = simulateLine({ bytesPerMs: 400, roundTripMs: 50, queueBytes: 256_000 }, 20_000, randomOf(3))
  expect(calm.share(5000, 20_000)).toBeGreaterThan(0.85)
})

test('FlowWindow asks for small units on a slow line, so that one alone does not block it', () => {
  const run = simulateLine({ bytesPerMs: 125, roundTripMs: 40, queueBytes: 64_000 }, 20_000, randomOf(4))
  expect(run.window.nextUnit(0, Infinity)).toBe(smallUnitBytes)
  expect(run.queueMs(5000, 20_000)).toBeLessThan(100)
  expect(run.share(5000, 20_000)).toBeGreaterThan(0.85)
})

test('FlowWindow stays under its ceiling, and lets a fast line be fast', () => {
  const run = simulateLine({ bytesPerMs: 12_500, roundTripMs: 100, queueBytes: 4_000_000 }, 10_000, randomOf(5))
  expect(run.window.bytes).toBeLessThanOrEqual(windowCeilingBytes)
  expect(run.share(5000, 10_000)).toBeGreaterThan(0.7)
})

test('FlowWindow does not grow where it was not the limit', () => {
  const window = new FlowWindow()
  for (let now = 0; now < 1000; now += 1) {
    window.arrived(window.asked(unitBytes, unitBytes, now), now + 20)
  }
  expect(window.bytes).toBe(windowStartBytes)
})

test('FlowWindow starts from below after a stall', () => {
  const { window } = simulateLine(far, 3000, randomOf(6))
  const before = window.bytes
  window.stalled()
  expect(window.bytes).toBeLessThanOrEqual(before / 2)
})

test('FlowWindow asks for a small unit first, and for a burst at most', () => {
  const window = new FlowWindow()
  let open = 0
  const asked: number[] = []
  for (let bytes = window.nextUnit(0, Infinity); bytes > 0; bytes = window.nextUnit(open, Infinity)) {
    open += bytes
    asked.push(bytes)
    window.asked(bytes, open, 0)
  }
  expect(asked[0]).toBe(1024)
  expect(open).toBeLessThanOrEqual(burstBytes)
})
