import { expect, test } from 'vitest'
import { UploadDay } from '../../sdk/upload-day.ts'
import { MapMemory } from '../fakes/map-memory.ts'

const midnight = 11_574 * 86_400_000

test('UploadDay sums what was given on all pages of a day, and begins anew with the next', () => {
  let now = midnight
  const memory = new MapMemory()
  const open = () => new UploadDay(memory, () => now, 1000)
  open().add(100)
  now = midnight + 86_399_999
  open().add(20)
  expect([open().uploadedBytes, open().leftBytes]).toEqual([120, 880])
  open().add(2000)
  expect(open().leftBytes).toBe(0)
  now += 1
  expect([open().uploadedBytes, open().leftBytes]).toEqual([0, 1000])
  open().add(5)
  expect(open().uploadedBytes).toBe(5)
})

test.each(['', 'x', '5', '5 x', '-5 11574', 'NaN 11574', '5 11573', '5 11575'])(
  'UploadDay starts anew after %j',
  (text) => {
    const memory = new MapMemory()
    memory.set('day', text)
    expect(new UploadDay(memory, () => midnight, 1000).uploadedBytes).toBe(0)
  },
)
