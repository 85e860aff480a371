import { expect, test } from 'vitest'
import { Visit } from '../../sdk/visit.ts'
import { MapMemory } from '../fakes/map-memory.ts'

const halfHourMs = 30 * 60_000

test('Visit sums what was given on all its pages, until half an hour goes by without any', () => {
  let now = 1_000_000_000_000
  const memory = new MapMemory()
  const open = () => new Visit(memory, () => now)
  open().add(100)
  now += halfHourMs - 1
  open().add(0)
  now += halfHourMs - 1
  open().add(20)
  expect(open().uploadedBytes).toBe(120)
  now += halfHourMs
  expect(open().uploadedBytes).toBe(0)
  open().add(5)
  expect(open().uploadedBytes).toBe(5)
})

test.each(['', 'x', '5', '5 x', '-5 1000000000000', 'NaN 1000000000000'])('Visit starts anew after %j', (text) => {
  const memory = new MapMemory()
  memory.set('visit', text)
  expect(new Visit(memory, () => 1_000_000_000_000).uploadedBytes).toBe(0)
})
