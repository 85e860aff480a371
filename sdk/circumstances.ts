import { batteryLowLevel, hiddenUploadMs } from '../protocol/limits.ts'
import type { Clock } from './clock.ts'

/** What speaks against giving to others now. Browsers that do not tell leave a field undefined. */
export interface Circumstances {
  /** https://wicg.github.io/savedata/ */
  readonly saveData?: boolean | undefined
  /** The kind of line (https://wicg.github.io/netinfo/). */
  readonly type?: string | undefined
  /** Little is left, and nothing charges it (https://w3c.github.io/battery/). */
  readonly isBatteryLow?: boolean | undefined
  /** The visitor left this tab for another long ago. */
  readonly isLongHidden?: boolean | undefined
}

/** Bytes a second that may be given to others: none where they cost the visitor money, or what the device needs. */
export function uploadLimitIn(circumstances: Circumstances, bytesPerSecond: number): number {
  const { saveData, type, isBatteryLow, isLongHidden } = circumstances
  return saveData || type === 'cellular' || isBatteryLow || isLongHidden ? 0 : bytesPerSecond
}

export interface CircumstancesWatch {
  read(): Circumstances
  changed(action: () => void): void
}

/** Watches the browser's page. */
export function watchCircumstances(clock: Clock): CircumstancesWatch {
  const target = new EventTarget()
  const tell = (): void => void target.dispatchEvent(new Event('change'))
  const connection: unknown = Reflect.get(navigator, 'connection')
  let battery: unknown
  let isLongHidden = false
  let cancel = (): void => {}
  const follow = (): void => {
    cancel()
    isLongHidden = false
    if (document.hidden) {
      cancel = clock.after(hiddenUploadMs, () => {
        isLongHidden = true
        tell()
      })
    } else tell()
  }
  follow()
  document.addEventListener('visibilitychange', follow)
  listen(connection, 'change', tell)
  void findBattery().then((found) => {
    battery = found
    listen(battery, 'levelchange', tell)
    listen(battery, 'chargingchange', tell)
    tell()
  })
  return {
    read: () => ({
      saveData: fieldOf(connection, 'saveData') === true,
      type: String(fieldOf(connection, 'type')),
      isBatteryLow: fieldOf(battery, 'charging') === false && Number(fieldOf(battery, 'level')) <= batteryLowLevel,
      isLongHidden,
    }),
    changed: (action) => target.addEventListener('change', action),
  }
}

/** Undefined where there is none, or the site's permissions policy forbids to ask. */
async function findBattery(): Promise<unknown> {
  const get: unknown = Reflect.get(navigator, 'getBattery')
  try {
    return typeof get === 'function' ? await get.call(navigator) : undefined
  } catch {
    return undefined
  }
}

function fieldOf(value: unknown, name: string): unknown {
  return value instanceof EventTarget ? Reflect.get(value, name) : undefined
}

function listen(value: unknown, type: string, action: () => void): void {
  if (value instanceof EventTarget) value.addEventListener(type, action)
}
