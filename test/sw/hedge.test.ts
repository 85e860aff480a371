import { expect, test } from 'vitest'
import { hedgeBurst } from '../../protocol/limits.ts'
import { hedgeAt, Hedges, lastAskAt } from '../../sw/hedge.ts'

const needed = { askedAt: 0, neededAt: 1000, deadlineAt: 10_000 }

test.each([
  ['at 0.4 s where chunks come quickly', needed, 20, 1400],
  ['at 0.4 s where nothing is known', needed, undefined, 1400],
  ['when most chunks would be here', needed, 700, 1700],
  ['at 1.5 s at the latest', needed, 5000, 2500],
  ['in time for the origin to keep the deadline', { ...needed, deadlineAt: 1300 }, 700, 1200],
  ['not at once where the deadline is past', { ...needed, deadlineAt: 0 }, 700, 1050],
  ['for what is read ahead only by the deadline', { ...needed, neededAt: undefined }, 20, 9900],
  ['for what is read ahead not at once', { ...needed, neededAt: undefined, deadlineAt: 0 }, 20, 400],
])('hedgeAt() asks the origin as well %s', (_, waiting, peerLongMs, at) => {
  expect(hedgeAt(waiting, peerLongMs, 100)).toBe(at)
  expect(lastAskAt(waiting, 100)).toBeGreaterThanOrEqual(at)
})

test('Hedges allows a few in a row, and then one for twenty chunks', () => {
  const hedges = new Hedges()
  for (let taken = 0; taken < hedgeBurst; taken += 1) expect(hedges.take()).toBe(true)
  expect(hedges.take()).toBe(false)
  let taken = 0
  for (let chunk = 0; chunk < 1000; chunk += 1) {
    hedges.came(10)
    if (hedges.take()) taken += 1
  }
  expect(taken).toBeGreaterThan(45)
  expect(taken).toBeLessThanOrEqual(50)
})

test('Hedges knows how long chunks take when they take long', () => {
  const hedges = new Hedges()
  expect(hedges.longMs).toBeUndefined()
  for (let ms = 1; ms <= 1000; ms += 1) hedges.came(ms)
  // Of the last 64.
  expect(hedges.longMs).toBe(997)
})
