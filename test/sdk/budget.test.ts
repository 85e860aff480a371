import { expect, test } from 'vitest'
import { TokenBucket } from '../../sdk/budget.ts'

test('TokenBucket allows its burst, then its rate', () => {
  const bucket = new TokenBucket(100, 50, 0)
  expect(bucket.take(50, 0)).toBe(true)
  expect(bucket.take(1, 0)).toBe(false)
  expect(bucket.waitMs(20, 0)).toBe(200)
  expect(bucket.take(20, 200)).toBe(true)
  expect(bucket.take(1, 200)).toBe(false)
})

test('TokenBucket saves up no more than its burst', () => {
  const bucket = new TokenBucket(100, 50, 0)
  expect(bucket.take(51, 1_000_000)).toBe(false)
  expect(bucket.take(50, 1_000_000)).toBe(true)
})

test('TokenBucket tells what it never allows', () => {
  expect(new TokenBucket(100, 50, 0).waitMs(51, 0)).toBe(Infinity)
  const closed = new TokenBucket(0, 50, 0)
  closed.take(50, 0)
  expect(closed.waitMs(1, 1000)).toBe(Infinity)
})

test('TokenBucket is not filled by a clock that goes back', () => {
  const bucket = new TokenBucket(100, 50, 1000)
  bucket.take(50, 1000)
  expect(bucket.take(1, 0)).toBe(false)
})
