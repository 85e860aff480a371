import { expect, test } from 'vitest'
import { OpenSwarms, planJoin, stunServerOf } from '../../origin/join.ts'
import { parseJoinResponse } from '../../protocol/join.ts'
import { iceServerLimit } from '../../protocol/limits.ts'

const secret = new Uint8Array(32).fill(7)
const noon = 20_000 * 86_400 + 43_200
const plain = { iceServers: [], lan: false }

function swarmsOf(now: number, from = secret): readonly string[] {
  return planJoin(from, ['/', '/live/'], now, plain).swarms.map(({ swarm }) => swarm)
}

test('planJoin() gives what visitors parse', () => {
  const iceServers = Array.from({ length: iceServerLimit + 3 }, () => ({ urls: ['stun:example.org'] }))
  const join = planJoin(secret, ['/', '/live/'], noon, { iceServers, lan: true })
  expect(parseJoinResponse(JSON.stringify(join))).toEqual(join)
  expect(join.renewSeconds).toBe(43_200)
})

test('planJoin() changes the swarms with the day, the section and the site', () => {
  expect(swarmsOf(noon)).toEqual(swarmsOf(noon + 43_199))
  const all = [swarmsOf(noon), swarmsOf(noon + 43_200), swarmsOf(noon, new Uint8Array(32))].flat()
  expect(new Set(all).size).toBe(6)
})

test.each([0, 0.5, 1, 86_399, 86_399.9])('planJoin() asks again within the day, %s seconds into it', (into) => {
  const { renewSeconds } = planJoin(secret, ['/'], 20_000 * 86_400 + into, plain)
  expect(renewSeconds).toBeGreaterThanOrEqual(1)
  expect(renewSeconds).toBeLessThanOrEqual(86_400)
})

test('OpenSwarms takes the swarms of the day and its neighbours, of these sections', () => {
  const open = new OpenSwarms(secret)
  const sections = ['/', '/live/']
  const has = (now: number) =>
    planJoin(secret, sections, now, plain).swarms.map(({ swarm }) => open.has(swarm, sections, noon))
  expect([has(noon - 86_400), has(noon), has(noon + 86_400)].flat()).toEqual(Array.from({ length: 6 }, () => true))
  expect([has(noon - 2 * 86_400), has(noon + 2 * 86_400)].flat()).toEqual(Array.from({ length: 4 }, () => false))
  const [, live] = planJoin(secret, sections, noon, plain).swarms
  expect(live && open.has(live.swarm, ['/'], noon)).toBe(false)
})

test('OpenSwarms takes none without the secret', () => {
  const [first] = planJoin(secret, ['/'], noon, plain).swarms
  expect(first && new OpenSwarms(undefined).has(first.swarm, ['/'], noon)).toBe(false)
})

test('stunServerOf() writes an IPv6 host as RFC 7064 wants it', () => {
  expect(stunServerOf('http://[::1]:8080/x', 3478)).toEqual({ urls: ['stun:[::1]:3478'] })
})
