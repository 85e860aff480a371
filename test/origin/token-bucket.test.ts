import { expect, test } from 'vitest'
import { TokenBucket } from '../../origin/token-bucket.ts'

test('TokenBucket gives its burst at once, and then as much as time brings', () => {
  const bucket = new TokenBucket(3, 2, 0)
  expect([bucket.take(0), bucket.take(0), bucket.take(0), bucket.take(0)]).toEqual([true, true, true, false])
  expect([bucket.take(400), bucket.take(500), bucket.take(500)]).toEqual([false, true, false])
  expect([1, 2, 3, 4].map(() => bucket.take(100_000))).toEqual([true, true, true, false])
})

test('TokenBucket.isFull() once everything came back', () => {
  const bucket = new TokenBucket(2, 1, 0)
  expect(bucket.isFull(0)).toBe(true)
  bucket.take(0)
  expect([bucket.isFull(900), bucket.isFull(1000)]).toEqual([false, true])
})

test('TokenBucket gains nothing from a clock that goes back', () => {
  const bucket = new TokenBucket(1, 1, 10_000)
  bucket.take(10_000)
  expect([bucket.take(5000), bucket.take(5500)]).toEqual([false, false])
})
