import { expect, test } from 'vitest'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import { unitBytes, wantsPerPeer, windowStartBytes } from '../../protocol/limits.ts'
import type { PeerFrame, Want } from '../../protocol/peer-wire.ts'
import { Downloads } from '../../sdk/downloads.ts'
import type { Rank } from '../../sdk/pick.ts'
import { FakeClock } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'

const asset = contentIdOfDigest(new Uint8Array(32))

function scene() {
  const clock = new FakeClock()
  const sent: PeerFrame[] = []
  const downloads = new Downloads((frame) => sent.push(frame), clock)
  const outcomes: unknown[] = []
  const ask = (length: number, index = 0, rank: Rank = 2) =>
    downloads.ask({
      asset,
      index,
      length,
      rank,
      done: (bytes) => outcomes.push(bytes),
      failed: (reason, retryAfterMs) => outcomes.push([reason, retryAfterMs]),
    })
  const wants = (): Want[] => sent.filter((frame) => frame.type === 'want')
  const cancels = () => sent.filter((frame) => frame.type === 'cancel').map(({ request }) => request)
  /** Answers as an honest holder of `content`. */
  const give = (want: Want, content = contentOf(262_144)) =>
    downloads.accept({
      type: 'data',
      request: want.request,
      bytes: content.subarray(want.offset, want.offset + want.length),
    })
  return { clock, downloads, ask, wants, cancels, give, outcomes, sent }
}

test('Downloads asks for a chunk in units and puts them together in any order', () => {
  const { ask, wants, give, outcomes, downloads } = scene()
  ask(unitBytes * 2 + 5)
  // The first is small: it measures the round trip.
  expect(wants().map(({ offset, length }) => [offset, length])).toEqual([
    [0, 1024],
    [1024, unitBytes],
    [1024 + unitBytes, unitBytes - 1024 + 5],
  ])
  for (const want of wants().toReversed()) give(want)
  expect(outcomes).toEqual([contentOf(262_144).subarray(0, unitBytes * 2 + 5)])
  expect(downloads.queuedBytes(2)).toBe(0)
  expect(downloads.receivedBytes).toBe(unitBytes * 2 + 5)
})

test('Downloads asks for no more than the window, and goes on as units come', () => {
  const { ask, wants, give } = scene()
  ask(262_144)
  const sum = () => wants().reduce((bytes, { length }) => bytes + length, 0)
  expect(sum()).toBeGreaterThan(windowStartBytes - unitBytes)
  expect(sum()).toBeLessThanOrEqual(windowStartBytes)
  for (let at = 0; at < wants().length; at += 1) {
    const want = wants()[at]
    if (want) give(want)
  }
  expect(sum()).toBe(262_144)
})

test('Downloads never has more units open than a peer allows', () => {
  const { ask, wants } = scene()
  for (let index = 0; index < 1000; index += 1) ask(1, index)
  expect(wants()).toHaveLength(wantsPerPeer)
})

test.each(['short', 'long'])('Downloads refuses a unit that is too %s', (kind) => {
  const { ask, wants, downloads } = scene()
  ask(100)
  const bytes = new Uint8Array(kind === 'short' ? 99 : 101)
  expect(() => downloads.accept({ type: 'data', request: wants()[0]?.request ?? 0, bytes })).toThrow('instead of 100')
})

test.each(['data', 'busy', 'absent'] as const)('Downloads refuses %s that was never asked for', (type) => {
  const { ask, downloads } = scene()
  ask(100)
  const request = 4711
  const frame =
    type === 'data'
      ? ({ type, request, bytes: new Uint8Array(100) } as const)
      : type === 'busy'
        ? ({ type, request, retryAfterMs: 1 } as const)
        : ({ type, request } as const)
  expect(() => downloads.accept(frame)).toThrow('not open')
})

test('Downloads refuses the same unit twice', () => {
  const { ask, wants, give } = scene()
  ask(unitBytes * 2)
  const [want] = wants()
  if (want) give(want)
  expect(() => want && give(want)).toThrow('not open')
})

test('Downloads forgives data that crossed a cancel, once', () => {
  const { ask, wants, cancels, give, outcomes } = scene()
  ask(unitBytes * 2).withdraw()
  expect(cancels()).toEqual(wants().map(({ request }) => request))
  for (const want of wants()) give(want)
  expect(outcomes).toEqual([])
  expect(() => wants()[0] && give(wants()[0] as Want)).toThrow('not open')
})

test.each([
  [{ type: 'busy', retryAfterMs: 250 } as const, ['busy', 250]],
  [{ type: 'absent' } as const, ['absent', 0]],
])('Downloads gives a chunk up as a whole at %o', (answer, outcome) => {
  const { ask, wants, cancels, downloads, outcomes } = scene()
  ask(unitBytes * 3)
  const [first, ...others] = wants().map(({ request }) => request)
  downloads.accept({ ...answer, request: first ?? 0 })
  expect(outcomes).toEqual([outcome])
  expect(cancels()).toEqual(others)
  // The others were refused in the same breath.
  for (const request of others) downloads.accept({ ...answer, request })
  expect(outcomes).toHaveLength(1)
  expect(downloads.queuedBytes(2)).toBe(0)
})

test('Downloads makes room for the next chunk when one is withdrawn', () => {
  const { ask, wants } = scene()
  const first = ask(windowStartBytes)
  ask(unitBytes, 1)
  expect(wants().some(({ index }) => index === 1)).toBe(false)
  first.withdraw()
  expect(wants().some(({ index }) => index === 1)).toBe(true)
})

test.each(['asked for', 'hurried'])('Downloads puts what is urgent before what is only read ahead: %s', (way) => {
  const { ask, wants, give, downloads } = scene()
  ask(windowStartBytes)
  ask(windowStartBytes, 1)
  const ahead = downloads.queuedBytes(2)
  if (way === 'asked for') ask(unitBytes, 2, 1)
  else ask(unitBytes, 2).hurry()
  const open = wants()
  const openBytes = open.reduce((bytes, { length }) => bytes + length, 0)
  expect(downloads.queuedBytes(1), 'behind what is on its way').toBe(openBytes)
  expect(downloads.queuedBytes(2)).toBe(ahead + unitBytes)
  for (const want of open.slice(0, 2)) give(want)
  expect(wants()[open.length]?.index).toBe(2)
})

test('Downloads puts a list before everything', () => {
  const { ask, wants, give, downloads } = scene()
  ask(windowStartBytes, 0, 1)
  ask(windowStartBytes, 1, 1)
  ask(80, 2, 0)
  const open = wants()
  expect(downloads.queuedBytes(0)).toBe(open.reduce((bytes, { length }) => bytes + length, 0))
  for (const want of open.slice(0, 2)) give(want)
  expect(wants()[open.length]?.index).toBe(2)
})

test('Downloads notices a stall, and what waits in our own queue is not the peer’s time', async () => {
  const { ask, clock, downloads, outcomes } = scene()
  const first = ask(windowStartBytes)
  const second = ask(unitBytes, 1)
  await clock.advance(250)
  expect(downloads.isStalled(clock.now())).toBe(false)
  expect([first.waitedMs(clock.now()), second.waitedMs(clock.now())]).toEqual([250, 0])
  await clock.advance(100)
  expect(downloads.isStalled(clock.now())).toBe(true)
  downloads.failAll('stalled')
  expect(outcomes).toEqual([
    ['stalled', 0],
    ['stalled', 0],
  ])
  expect(downloads.isStalled(clock.now())).toBe(false)
})

test('Downloads gives a far peer four round trips', async () => {
  const { ask, wants, give, clock, downloads } = scene()
  ask(unitBytes)
  await clock.advance(300)
  const [want] = wants()
  if (want) give(want)
  ask(unitBytes, 1)
  await clock.advance(1100)
  expect(downloads.isStalled(clock.now())).toBe(false)
  await clock.advance(200)
  expect(downloads.isStalled(clock.now())).toBe(true)
})
