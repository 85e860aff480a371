import { expect, test } from 'vitest'
import { RateMeter } from '../../protocol/rate-meter.ts'

const kib = 1024

test('RateMeter says nothing of a rate while only slow first units came', () => {
  const meter = new RateMeter()
  meter.started(0)
  meter.moved(16 * kib, 80)
  expect(meter.bytesPerSecond).toBeUndefined()
  meter.moved(240 * kib, 200)
  expect(meter.bytesPerSecond).toBe(256 * kib * 5)
})

test('RateMeter needs no more than half a second to call a line slow', () => {
  const meter = new RateMeter()
  meter.started(0)
  meter.moved(16 * kib, 480)
  expect(meter.bytesPerSecond).toBeUndefined()
  meter.moved(16 * kib, 640)
  expect(meter.bytesPerSecond).toBe(50 * kib)
})

test('RateMeter follows later samples, and pauses cost nothing', () => {
  const meter = new RateMeter()
  meter.started(0)
  meter.moved(256 * kib, 1000)
  meter.paused()
  meter.started(60_000)
  meter.moved(64 * kib, 60_250)
  expect(meter.bytesPerSecond).toBe(256 * kib)
  meter.moved(128 * kib, 60_500)
  expect(meter.bytesPerSecond).toBe(320 * kib)
})
