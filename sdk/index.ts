import { Nearhand } from './nearhand.ts'
import type { NearhandOptions } from './options.ts'
import { resolveOptions } from './options.ts'
import { createPage } from './page.ts'

export type { ChunkTraffic, SourceName, TrafficMessage, TrafficTotals } from '../protocol/bridge.ts'
export type { ConsentState, ConsentTexts } from './consent.ts'
export type { PeerView } from './exchange-messages.ts'
export type { Nearhand } from './nearhand.ts'
export type { NearhandEvents, NearhandState, NearhandStats } from './nearhand-events.ts'
export type { NearhandOptions } from './options.ts'

/**
 * Starts Nearhand on this page, as the script tag does. Call it once, early: assets asked for before go the plain way.
 *
 * @throws TypeError or RangeError that names the option which cannot be used
 */
export function createNearhand(options: NearhandOptions = {}): Nearhand {
  const settings = resolveOptions(options, location.href)
  const page = createPage(settings.base)
  const nearhand = new Nearhand(page, settings)
  // Otherwise what the worker says waits until the document is parsed.
  page.serviceWorkers?.startMessages()
  if (options.manual !== true) nearhand.start()
  return nearhand
}
