import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pickPeers } from '../../origin/match.ts'

const swarm = Array.from({ length: 50 }, (_, at) => at)
const anyone = (): boolean => true

test('pickPeers() gives each peer once, and only those that may be picked', () => {
  fc.assert(
    fc.property(fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })), fc.nat(20), (stream, count) => {
      const random = (): number => stream.next().value ?? 0
      const picked = pickPeers(swarm, count, (peer) => peer % 3 === 0, random)
      expect(picked).toHaveLength(Math.min(count, 17))
      expect(new Set(picked).size).toBe(picked.length)
      expect(picked.every((peer) => peer % 3 === 0)).toBe(true)
    }),
  )
})

test('pickPeers() gives everybody of a small swarm where that many are asked for', () => {
  expect(new Set(pickPeers([1, 2, 3], 12, anyone, Math.random))).toEqual(new Set([1, 2, 3]))
})

test('pickPeers() gives nobody where none is asked for or there is none', () => {
  expect(pickPeers(swarm, 0, anyone, Math.random)).toEqual([])
  expect(pickPeers(swarm, -3, anyone, Math.random)).toEqual([])
  expect(pickPeers([], 5, anyone, Math.random)).toEqual([])
})

test('pickPeers() looks at no more than a bounded part of a large swarm', () => {
  let looks = 0
  const large = Array.from({ length: 100_000 }, (_, at) => at)
  pickPeers(large, 12, () => ((looks += 1), false), Math.random)
  expect(looks).toBeLessThan(300)
})

test('pickPeers() draws every peer about as often', () => {
  let state = 1
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
  const drawn = new Map<number, number>()
  for (let round = 0; round < 5000; round += 1) {
    for (const peer of pickPeers(swarm, 5, anyone, next)) drawn.set(peer, (drawn.get(peer) ?? 0) + 1)
  }
  // 500 expected each; five standard deviations are about 106.
  for (const peer of swarm) expect(Math.abs((drawn.get(peer) ?? 0) - 500)).toBeLessThan(106)
})
