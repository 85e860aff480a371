import { randomBytes } from 'node:crypto'
import type { SiteKeys } from './keys.ts'
import { hasKeys, makeKeys, readKeys } from './keys.ts'
import { realPlace, segmentsBelow } from './real-place.ts'

/** The keys of the site, new ones where the folder holds none. @param now milliseconds since 1970 */
export async function openKeys(folder: string, now: number): Promise<{ keys: SiteKeys; isNew: boolean }> {
  if (await hasKeys(folder)) return { keys: await readKeys(folder), isNew: false }
  const random = (length: number) => new Uint8Array(randomBytes(length))
  return { keys: await makeKeys(folder, { now: Math.floor(now / 1000), random }), isNew: true }
}

/** Refuses a place whose files every visitor could read: a folder of the site that is not hidden. */
export async function assertUnpublished(what: string, place: string, site: string): Promise<void> {
  // Both as they are written and as they are: a link may be led elsewhere later.
  const below = [segmentsBelow(site, place), segmentsBelow(await realPlace(site), await realPlace(place))]
  if (below.every((segments) => segments === undefined || segments.some((name) => name.startsWith('.')))) return
  throw new TypeError(`Cannot keep ${what} in ${place}: it lies within the site, where everybody could read it`)
}
