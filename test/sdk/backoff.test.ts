import { expect, test } from 'vitest'
import { backoffMs, jitterMs } from '../../sdk/backoff.ts'

test('backoffMs() doubles up to its limit', () => {
  const pauses = [0, 1, 2, 3, 10, 1000].map((attempt) => backoffMs(attempt, 500, 30_000, () => 1))
  expect(pauses).toEqual([500, 1000, 2000, 4000, 30_000, 30_000])
})

test('backoffMs() spreads visitors over the upper half', () => {
  expect(backoffMs(2, 500, 30_000, () => 0)).toBe(1000)
  expect(backoffMs(2, 500, 30_000, () => 0.5)).toBe(1500)
})

test('jitterMs() stays within a quarter', () => {
  expect([0, 0.5, 1].map((drawn) => jitterMs(1000, () => drawn))).toEqual([750, 1000, 1250])
})
