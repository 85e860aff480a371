import { expect, test } from 'vitest'
import { bansKept } from '../../protocol/limits.ts'
import { Bans } from '../../sdk/bans.ts'
import { MapMemory } from '../fakes/map-memory.ts'
import { peerIdOf } from './exchange-scene.ts'

const fingerprint = '0f'.repeat(32)

test('Bans knows a peer by its id and by its certificate, and counts it once', () => {
  const bans = new Bans(new MapMemory())
  bans.add(peerIdOf('b'), fingerprint)
  bans.add(peerIdOf('b'), undefined)
  expect([bans.has(peerIdOf('b')), bans.has(fingerprint), bans.has(peerIdOf('c'))]).toEqual([true, true, false])
  expect(bans.count).toBe(1)
})

test('Bans forgets the oldest where an attacker makes too many', () => {
  const bans = new Bans(new MapMemory())
  bans.add(peerIdOf('b'), undefined)
  for (let at = 0; at < bansKept; at += 1) bans.add(peerIdOf('c'), at.toString(16).padStart(64, '0'))
  expect(bans.has(peerIdOf('b'))).toBe(false)
})

test('Bans knows on the next page who was banned on this one', () => {
  const memory = new MapMemory()
  new Bans(memory).add(peerIdOf('b'), fingerprint)
  const bans = new Bans(memory)
  expect([bans.has(fingerprint), bans.has(''), bans.count]).toEqual([true, false, 1])
})
