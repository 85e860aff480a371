import { expect, test } from 'vitest'
import { poorUplinkMs } from '../../protocol/limits.ts'
import { Uplink } from '../../sdk/uplink.ts'

/** Sends all the time over a line of a rate. */
function busyUplink(bytesPerSecond: number): { uplink: Uplink; now: number } {
  const uplink = new Uplink()
  let now = 0
  for (; now <= 2000; now += 100) uplink.look(1e9, 1e9 - (bytesPerSecond * now) / 1000, now)
  return { uplink, now }
}

test('Uplink measures what leaves while something waits', () => {
  const { uplink, now } = busyUplink(1_000_000)
  expect(uplink.bytesPerSecond).toBeCloseTo(1_000_000, -1)
  expect(uplink.isPoor(now)).toBe(false)
})

test('Uplink says nothing of a line that nothing waits for', () => {
  const uplink = new Uplink()
  for (let now = 0; now < 10_000; now += 100) {
    uplink.look(now, 0, now)
    uplink.look(now + 50, 50, now)
  }
  expect(uplink.bytesPerSecond).toBeUndefined()
  expect(uplink.isPoor(10_000)).toBe(false)
})

test('Uplink calls a slow line poor, and tries it again later', () => {
  const { uplink, now } = busyUplink(25_000)
  expect(uplink.isPoor(now)).toBe(true)
  expect(uplink.isPoor(now + poorUplinkMs - 1)).toBe(true)
  expect(uplink.isPoor(now + poorUplinkMs)).toBe(false)
})
