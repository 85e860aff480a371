import { expect, test } from 'vitest'
import { KnownPeers } from '../../sdk/known-peers.ts'
import { MapMemory } from '../fakes/map-memory.ts'

const idOf = (digit: string): string => digit.repeat(32)
const viewOf = (id: string) => ({ id, roundTripMs: undefined, bytesPerSecond: 0, receivedBytes: 0, sentBytes: 0 })

test('KnownPeers remembers twelve peers, and keeps them when there are none any more', () => {
  const memory = new MapMemory()
  const known = new KnownPeers(memory)
  expect(known.ids).toBeUndefined()
  known.note('0123456789abcdef'.split('').map((digit) => viewOf(idOf(digit))))
  known.note([])
  expect(new KnownPeers(memory).ids).toEqual('0123456789ab'.split('').map(idOf))
})

test.each(['', 'x', `${idOf('a')} x`, Array(13).fill(idOf('a')).join(' ')])('KnownPeers knows nobody by %j', (text) => {
  const memory = new MapMemory()
  memory.set('peers', text)
  expect(new KnownPeers(memory).ids).toBeUndefined()
})
