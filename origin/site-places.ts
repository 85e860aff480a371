import { stat } from 'node:fs/promises'
import { realPlace, segmentsBelow } from './real-place.ts'

interface SitePlaces {
  readonly folder: string
  readonly state: string
  readonly keys: string
}

/** Refuses a site that is not there, and keys or state whose files every visitor could read. Writes nothing. */
export async function assertPlaces({ folder, state, keys }: SitePlaces): Promise<void> {
  const stats = await stat(folder).catch(() => undefined)
  if (!stats?.isDirectory()) throw new Error(`Cannot serve ${folder}: there is no such folder`)
  await assertUnpublished('the state', state, folder)
  await assertUnpublished('the keys', keys, folder)
}

async function assertUnpublished(what: string, place: string, site: string): Promise<void> {
  // Both as they are written and as they are: a link may be led elsewhere later.
  const below = [segmentsBelow(site, place), segmentsBelow(await realPlace(site), await realPlace(place))]
  if (below.every((segments) => segments === undefined || segments.some((name) => name.startsWith('.')))) return
  throw new TypeError(`Cannot keep ${what} in ${place}: it lies within the site, where everybody could read it`)
}
