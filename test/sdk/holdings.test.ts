import { expect, test } from 'vitest'
import type { ContentId } from '../../protocol/ids.ts'
import { parseContentId } from '../../protocol/ids.ts'
import { haveEntriesPerPeer, mapsPerPeer } from '../../protocol/limits.ts'
import { listIndexOnWire, shortIdOf } from '../../protocol/peer-wire.ts'
import { Holdings } from '../../sdk/holdings.ts'

const proof = 'a'.repeat(16)
const section = '/'
const idOf = (number: number): ContentId => {
  const id = parseContentId(number.toString(16).padStart(16, '0').padEnd(64, '0'))
  if (id === undefined) throw new Error('Cannot make an id')
  return id
}
const asset = idOf(1)
const holdings = () => new Holdings(new Map([[proof, section]]))
const told = (state: 'gone' | 'whole' | 'part', reset = false) =>
  ({ type: 'have', proof, reset, entries: [{ id: shortIdOf(asset), state }] }) as const

test('Holdings learns what a peer holds, and what it dropped', () => {
  const one = holdings()
  expect(one.isTold).toBe(false)
  one.accept(told('whole', true))
  expect(one.isTold).toBe(true)
  expect(one.hasChunk(section, asset, 7)).toBe(true)
  expect(one.hasChunk('/other/', asset, 7)).toBe(false)
  one.accept(told('gone'))
  expect(one.stateOf(section, asset)).toBe('gone')
})

test('Holdings begins anew at a reset', () => {
  const one = holdings()
  one.accept(told('whole', true))
  one.accept({ type: 'have', proof, reset: true, entries: [] })
  expect(one.stateOf(section, asset)).toBe('gone')
})

test('Holdings goes by the map where an asset is partial', () => {
  const one = holdings()
  one.accept(told('part', true))
  expect(one.hasChunk(section, asset, 0)).toBe(false)
  expect(one.hasChunk(section, asset, listIndexOnWire)).toBe(true)
  expect(one.wantsMap(section, asset)).toBe(true)
  expect(one.wantsMap(section, asset), 'asked once').toBe(false)
  one.acceptMap({ type: 'map', asset, scale: 0, count: 10, bits: Uint8Array.of(0b1000_0001, 0b0100_0000) })
  expect([0, 1, 7, 8, 9, 10].filter((index) => one.hasChunk(section, asset, index))).toEqual([0, 7, 9])
})

test('Holdings asks for no more maps than it keeps', () => {
  const one = holdings()
  const entries = Array.from({ length: mapsPerPeer + 1 }, (_, at) => ({
    id: shortIdOf(idOf(at)),
    state: 'part' as const,
  }))
  one.accept({ type: 'have', proof, reset: true, entries })
  expect(entries.filter((_, at) => one.wantsMap(section, idOf(at)))).toHaveLength(mapsPerPeer)
})

test('Holdings refuses a map that nobody asked for', () => {
  const map = { type: 'map', asset, scale: 0, count: 8, bits: Uint8Array.of(255) } as const
  expect(() => holdings().acceptMap(map)).toThrow('nobody asked')
})

test('Holdings refuses a list of a swarm that is not shared', () => {
  expect(() => holdings().accept({ ...told('whole'), proof: 'b'.repeat(16) })).toThrow('not shared')
})

test('Holdings refuses a list that never ends', () => {
  const one = holdings()
  const frame = (from: number) => ({
    type: 'have' as const,
    proof,
    reset: false,
    entries: Array.from({ length: 2000 }, (_, at) => ({ id: shortIdOf(idOf(from + at)), state: 'whole' as const })),
  })
  expect(() => {
    for (let from = 0; from <= haveEntriesPerPeer; from += 2000) one.accept(frame(from))
  }).toThrow('entries')
})

test('Holdings does not ask again for what the peer denied', () => {
  const one = holdings()
  one.accept(told('whole', true))
  one.forget(section, asset)
  expect(one.hasChunk(section, asset, 0)).toBe(false)
})
