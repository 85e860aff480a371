import { expect, test } from 'vitest'
import { isLocalPage, OpenSwarms, planJoin, stunServersOf } from '../../origin/join.ts'
import { parseJoinResponse } from '../../protocol/join.ts'
import { iceServerLimit, passRenewSeconds } from '../../protocol/limits.ts'

const secret = new Uint8Array(32).fill(7)
const noon = 20_000 * 86_400 + 43_200
const plain = { iceServers: [], lan: false }

function swarmsOf(now: number, from = secret): readonly string[] {
  return planJoin(from, ['/', '/live/'], now, plain).swarms.map(({ swarm }) => swarm)
}

test('planJoin() gives what visitors parse', () => {
  const iceServers = Array.from({ length: iceServerLimit + 3 }, () => ({ urls: ['stun:example.org'] }))
  const join = planJoin(secret, ['/', '/live/'], noon, { iceServers, lan: true })
  const pass = 'a.b.c'
  expect(parseJoinResponse(JSON.stringify({ pass, ...join }))).toEqual({ pass, ...join })
  expect(join.renewSeconds).toBe(passRenewSeconds)
  expect(planJoin(secret, ['/'], noon + 43_100, plain).renewSeconds).toBe(100)
})

test('planJoin() changes the swarms with the day, the section and the site', () => {
  expect(swarmsOf(noon)).toEqual(swarmsOf(noon + 43_199))
  const all = [swarmsOf(noon), swarmsOf(noon + 43_200), swarmsOf(noon, new Uint8Array(32))].flat()
  expect(new Set(all).size).toBe(6)
})

test.each([0, 0.5, 1, 86_399, 86_399.9])('planJoin() asks again within the day, %s seconds into it', (into) => {
  const { renewSeconds } = planJoin(secret, ['/'], 20_000 * 86_400 + into, plain)
  expect(renewSeconds).toBeGreaterThanOrEqual(1)
  expect(renewSeconds).toBeLessThanOrEqual(passRenewSeconds)
})

test('OpenSwarms takes the swarms of the day and its neighbours, of these sections', () => {
  const open = new OpenSwarms(() => secret)
  const sections = ['/', '/live/']
  const has = (now: number) =>
    planJoin(secret, sections, now, plain).swarms.map(({ swarm }) => open.sectionOf(swarm, sections, noon))
  expect([has(noon - 86_400), has(noon), has(noon + 86_400)].flat()).toEqual([...sections, ...sections, ...sections])
  expect([has(noon - 2 * 86_400), has(noon + 2 * 86_400)].flat()).toEqual(Array.from({ length: 4 }, () => undefined))
  const [, live] = planJoin(secret, sections, noon, plain).swarms
  expect(live && open.sectionOf(live.swarm, ['/'], noon)).toBe(undefined)
})

test('OpenSwarms takes none without the secret', () => {
  const [first] = planJoin(secret, ['/'], noon, plain).swarms
  expect(first && new OpenSwarms(() => undefined).sectionOf(first.swarm, ['/'], noon)).toBe(undefined)
})

test('stunServersOf() writes an IPv6 host as RFC 7064 wants it', () => {
  expect(stunServersOf('http://[::1]:8080/x', 3478, '::1')).toEqual([{ urls: ['stun:[::1]:3478'] }])
})

test('stunServersOf() names no server that listens where the visitor is not', () => {
  expect(stunServersOf('https://www.example.org/x', 3478, '127.0.0.1')).toEqual([])
  expect(stunServersOf('https://www.example.org/x', 1, undefined)).toEqual([{ urls: ['stun:www.example.org:1'] }])
})

test.each([
  ['http://localhost:8080', true],
  ['http://site.localhost/', true],
  ['http://127.0.0.1', true],
  ['http://[::1]:80', true],
  ['https://www.example.org', false],
  ['https://localhost.example.org', false],
  ['https://127.0.0.1.example.org', false],
  ['https://notlocalhost', false],
  ['null', false],
])('isLocalPage() of %s is %s', (url, isLocal) => {
  expect(isLocalPage(url)).toBe(isLocal)
})
