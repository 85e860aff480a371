import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { HolderView, Rank } from '../../sdk/pick.ts'
import { expectedFinishMs, pickPeer } from '../../sdk/pick.ts'

interface View extends Partial<Omit<HolderView, 'queuedBytes'>> {
  readonly queued?: number
  readonly urgent?: number
}

const holder = ({ queued = 0, urgent = queued, ...view }: View): HolderView => ({
  roundTripMs: 50,
  bytesPerSecond: 1_000_000,
  queuedBytes: (rank) => (rank < 2 ? urgent : queued),
  failureRate: 0,
  ...view,
})

const needOf = (length: number, rank: Rank = 2) => ({ length, rank })

/** Draws the first two. */
const inOrder = () => 0

test('pickPeer() takes nobody of nobody and the only one of one', () => {
  const only = holder({})
  expect(pickPeer([], needOf(1), Math.random)).toBeUndefined()
  expect(pickPeer([only], needOf(1), Math.random)).toBe(only)
})

test.each([
  ['the shorter queue', { queued: 500_000 }, {}],
  ['the faster line', { bytesPerSecond: 100_000 }, {}],
  ['the nearer one', { roundTripMs: 300 }, {}],
  ['the one that failed less', { failureRate: 0.5 }, {}],
  ['a fast line with a queue before a slow one without', { bytesPerSecond: 50_000 }, { queued: 100_000 }],
])('pickPeer() takes %s', (_, worse, better) => {
  const [one, other] = [holder(worse), holder(better)]
  expect(pickPeer([one, other], needOf(65_536), inOrder)).toBe(other)
  expect(pickPeer([other, one], needOf(65_536), inOrder)).toBe(other)
})

test('pickPeer() gives a peer that nobody tried its chance', () => {
  const unknown = holder({ roundTripMs: undefined, bytesPerSecond: undefined })
  expect(pickPeer([holder({ bytesPerSecond: 200_000 }), unknown], needOf(65_536), inOrder)).toBe(unknown)
})

test('pickPeer() compares two different ones, whatever is drawn', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000_000), { minLength: 2, maxLength: 20 }),
      fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 2, maxLength: 2 }),
      (queues, draws) => {
        const holders = queues.map((queued) => holder({ queued }))
        const drawn = [...draws]
        const picked = pickPeer(holders, needOf(1), () => drawn.shift() ?? 0)
        const worst = Math.max(...queues)
        // The very worst is taken only where all drawn are as bad.
        if (queues.filter((queue) => queue === worst).length === 1) expect(picked?.queuedBytes(2)).not.toBe(worst)
      },
    ),
  )
})

test('expectedFinishMs() counts the round trip, what was asked for before, and failures', () => {
  const busy = holder({ queued: 900_000, urgent: 100_000 })
  expect(expectedFinishMs(busy, needOf(100_000))).toBe(1050)
  expect(expectedFinishMs(busy, needOf(100_000, 1)), 'what is only read ahead stands back').toBe(250)
  expect(expectedFinishMs(holder({ failureRate: 0.5 }), needOf(150_000))).toBe(500)
})
