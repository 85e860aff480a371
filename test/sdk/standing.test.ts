import { expect, test } from 'vitest'
import { Standing } from '../../sdk/standing.ts'

test('Standing rests a peer after a failure, twice as long after the next', () => {
  const standing = new Standing()
  standing.failed(0)
  expect(standing.isAvailable(4999)).toBe(false)
  expect(standing.isAvailable(5000)).toBe(true)
  standing.failed(5000)
  expect(standing.isAvailable(14_999)).toBe(false)
  expect(standing.isAvailable(15_000)).toBe(true)
})

test('Standing counts what fails together once', () => {
  const standing = new Standing()
  for (let failure = 0; failure < 20; failure += 1) standing.failed(0)
  expect(standing.isHopeless).toBe(false)
  expect(standing.isAvailable(5000)).toBe(true)
})

test('Standing gives up on a peer that only fails, and forgives one that gives in between', () => {
  const [dripping, flaky] = [new Standing(), new Standing()]
  for (let round = 0; round < 5; round += 1) {
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
