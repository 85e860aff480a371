import { afterEach, expect, test, vi } from 'vitest'
import { hiddenUploadMs } from '../../protocol/limits.ts'
import { uploadLimitIn, watchCircumstances } from '../../sdk/circumstances.ts'
import { FakeClock } from '../fakes/clock.ts'

afterEach(() => vi.unstubAllGlobals())

test.each([
  [{}, 5],
  [{ saveData: false, type: 'wifi', isBatteryLow: false, isLongHidden: false }, 5],
  [{ type: 'unknown' }, 5],
  [{ saveData: true }, 0],
  [{ type: 'cellular' }, 0],
  [{ isBatteryLow: true }, 0],
  [{ isLongHidden: true }, 0],
])('uploadLimitIn() %o is %d', (circumstances, limit) => {
  expect(uploadLimitIn(circumstances, 5)).toBe(limit)
})

/** A browser that tells all, and what it tells. */
function browser(getBattery?: () => Promise<unknown>) {
  const connection = Object.assign(new EventTarget(), { saveData: false, type: 'wifi' })
  const battery = Object.assign(new EventTarget(), { charging: false, level: 1 })
  const document = Object.assign(new EventTarget(), { hidden: false })
  vi.stubGlobal('navigator', { connection, getBattery: getBattery ?? (() => Promise.resolve(battery)) })
  vi.stubGlobal('document', document)
  const clock = new FakeClock()
  const watch = watchCircumstances(clock)
  const changed = vi.fn<() => void>()
  watch.changed(changed)
  return { connection, battery, document, clock, watch, changed }
}

test('watchCircumstances() tells of the line', async () => {
  const { connection, watch, changed } = browser()
  connection.saveData = true
  connection.type = 'cellular'
  connection.dispatchEvent(new Event('change'))
  expect(changed).toHaveBeenCalledOnce()
  expect(watch.read()).toMatchObject({ saveData: true, type: 'cellular' })
})

test('watchCircumstances() tells of a battery that is low while nothing charges it', async () => {
  const { battery, watch, changed } = browser()
  await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce())
  expect(watch.read().isBatteryLow).toBe(false)
  battery.level = 0.2
  battery.dispatchEvent(new Event('levelchange'))
  expect([changed.mock.calls.length, watch.read().isBatteryLow]).toEqual([2, true])
  battery.charging = true
  battery.dispatchEvent(new Event('chargingchange'))
  expect([changed.mock.calls.length, watch.read().isBatteryLow]).toEqual([3, false])
})

test('watchCircumstances() tells of a tab that is hidden for long, and of its return', async () => {
  const { document, clock, watch, changed } = browser(() => Promise.reject(new DOMException('no', 'NotAllowedError')))
  await vi.waitFor(() => expect(changed).toHaveBeenCalledOnce())
  const show = (isShown: boolean) => {
    document.hidden = !isShown
    document.dispatchEvent(new Event('visibilitychange'))
  }
  show(false)
  await clock.advance(hiddenUploadMs - 1)
  show(true)
  show(false)
  await clock.advance(hiddenUploadMs - 1)
  expect(watch.read().isLongHidden, 'the time runs from the last leave').toBe(false)
  const before = changed.mock.calls.length
  await clock.advance(1)
  expect([watch.read().isLongHidden, changed.mock.calls.length]).toEqual([true, before + 1])
  show(true)
  expect([watch.read().isLongHidden, changed.mock.calls.length]).toEqual([false, before + 2])
})

test('watchCircumstances() knows nothing where the browser tells nothing', () => {
  vi.stubGlobal('navigator', {})
  vi.stubGlobal('document', Object.assign(new EventTarget(), { hidden: false }))
  expect(uploadLimitIn(watchCircumstances(new FakeClock()).read(), 5)).toBe(5)
})
