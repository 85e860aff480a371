import { expect, test } from 'vitest'
import { unitBytes, windowCeilingBytes, windowFloorBytes, windowStartBytes } from '../../protocol/limits.ts'
import { FlowWindow } from '../../sdk/flow-window.ts'

interface Run {
  readonly bytesPerSecond: number
  /** Of units that came in the second half of the run, the longest wait in the queue. */
  readonly queueMs: number
  readonly window: number
}

/** A link with a rate and a delay, in simulated time: units queue before it, and the window decides how many. */
function simulate(link: { bytesPerSecond: number; roundTripMs: number; crossBytes?: number }, forMs: number): Run {
  const window = new FlowWindow()
  const arrivals: { at: number; sentAt: number; wasFull: boolean }[] = []
  const { roundTripMs, bytesPerSecond } = link
  const unitMs = (unitBytes / bytesPerSecond) * 1000
  let [now, freeAt, open, received, queueMs] = [0, 0, 0, 0, 0]
  while (now < forMs) {
    while (open + unitBytes <= window.bytes) {
      open += unitBytes
      freeAt = Math.max(freeAt, now + roundTripMs / 2) + unitMs
      arrivals.push({ at: freeAt + roundTripMs / 2, sentAt: now, wasFull: open + unitBytes > window.bytes })
    }
    const next = arrivals.shift()
    if (next === undefined) break
    now = next.at
    open -= unitBytes
    const delayMs = now - next.sentAt
    if (now > forMs / 2) {
      received += unitBytes
      queueMs = Math.max(queueMs, delayMs - roundTripMs - unitMs)
    }
    window.arrived(unitBytes, delayMs, next.wasFull, now)
  }
  return { bytesPerSecond: (received / (forMs / 2)) * 1000, queueMs, window: window.bytes }
}

test.each([
  ['a home uplink', { bytesPerSecond: 1_250_000, roundTripMs: 40 }],
  ['50 Mbit/s, near', { bytesPerSecond: 6_250_000, roundTripMs: 20 }],
  ['50 Mbit/s, far', { bytesPerSecond: 6_250_000, roundTripMs: 50 }],
])('FlowWindow fills %s and keeps its queue short', (_, link) => {
  const run = simulate(link, 10_000)
  expect(run.bytesPerSecond).toBeGreaterThan(link.bytesPerSecond * 0.9)
  // A unit on the line at such a rate, and the target of 20 ms.
  expect(run.queueMs).toBeLessThan(20 + (unitBytes / link.bytesPerSecond) * 2000)
})

test('FlowWindow stays between floor and ceiling', () => {
  expect(simulate({ bytesPerSecond: 50_000, roundTripMs: 10 }, 20_000).window).toBe(windowFloorBytes)
  expect(simulate({ bytesPerSecond: 1e9, roundTripMs: 200 }, 10_000).window).toBe(windowCeilingBytes)
})

test('FlowWindow does not grow where it was not the limit', () => {
  const window = new FlowWindow()
  for (let unit = 0; unit < 1000; unit += 1) window.arrived(unitBytes, 20, false, unit)
  expect(window.bytes).toBe(windowStartBytes)
})

test('FlowWindow gives way when the delay grows, and starts from below after a stall', () => {
  const window = new FlowWindow()
  for (let unit = 0; unit < 40; unit += 1) window.arrived(unitBytes, 20, true, unit)
  const wide = window.bytes
  for (let unit = 0; unit < 40; unit += 1) window.arrived(unitBytes, 120, true, 100 + unit)
  const narrow = window.bytes
  expect(narrow).toBeLessThan(wide)
  window.stalled()
  expect(window.bytes).toBeLessThanOrEqual(Math.max(windowFloorBytes, narrow / 2))
})

test('FlowWindow forgets the delay of an old route', () => {
  const window = new FlowWindow()
  for (let at = 0; at < 1000; at += 10) window.arrived(unitBytes, 20, true, at)
  // The new route is slower without any queue: after two periods that is the base, and the window grows again.
  for (let at = 1000; at < 70_000; at += 10) window.arrived(unitBytes, 80, true, at)
  expect(window.bytes).toBe(windowCeilingBytes)
})
