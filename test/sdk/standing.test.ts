import { expect, test } from 'vitest'
import { Standing } from '../../sdk/standing.ts'

test('Standing rests a peer after a failure, twice as long after the next', () => {
  const standing = new Standing()
  standing.failed(0)
  expect(standing.isAvailable(1999)).toBe(false)
  expect(standing.isAvailable(2000)).toBe(true)
  standing.failed(2000)
  expect(standing.isAvailable(5999)).toBe(false)
  expect(standing.isAvailable(6000)).toBe(true)
})

test('Standing takes the first failure of a peer that gave before for a hiccup', () => {
  const standing = new Standing()
  standing.succeeded()
  standing.failed(0)
  expect(standing.isAvailable(999)).toBe(false)
  expect(standing.isAvailable(1000)).toBe(true)
  standing.failed(1000)
  expect(standing.isAvailable(4999)).toBe(false)
})

test('Standing counts what fails together once', () => {
  const standing = new Standing()
  for (let failure = 0; failure < 20; failure += 1) standing.failed(0)
  expect(standing.isHopeless).toBe(false)
  expect(standing.isAvailable(5000)).toBe(true)
})

test('Standing gives up on a peer that only fails, and forgives one that gives in between', () => {
  const [dripping, flaky] = [new Standing(), new Standing()]
  for (let round = 0; round < 6; round += 1) {
    dripping.failed(round * 100_000)
    flaky.failed(round * 100_000)
    flaky.succeeded()
  }
  expect(dripping.isHopeless).toBe(true)
  expect(flaky.isHopeless).toBe(false)
})

test('Standing believes a busy peer, but not for ever', () => {
  const standing = new Standing()
  standing.refused(65_535, 0)
  expect(standing.isAvailable(9999)).toBe(false)
  expect(standing.isAvailable(10_000)).toBe(true)
  expect(standing.failureRate).toBe(0)
})

test('Standing rests a peer that is late three times in half a minute', () => {
  const standing = new Standing()
  standing.succeeded()
  for (const now of [0, 10_000, 31_000]) {
    standing.late(now)
    expect(standing.isAvailable(now), `after ${now} ms`).toBe(true)
  }
  standing.late(32_000)
  expect(standing.isAvailable(32_001)).toBe(false)
})

test('Standing rests a peer whose first deed is to be late, and trusts it only once it gave something', () => {
  const standing = new Standing()
  expect(standing.isProven).toBe(false)
  standing.late(0)
  expect(standing.isAvailable(1)).toBe(false)
  standing.succeeded()
  expect(standing.isProven).toBe(true)
  standing.failed(5000)
  expect(standing.isProven).toBe(false)
})
