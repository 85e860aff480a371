import { randomBytes } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { isAbsolute, relative, sep } from 'node:path'
import type { SiteKeys } from './keys.ts'
import { hasKeys, makeKeys, readKeys } from './keys.ts'

/** The keys of the site, new ones where the folder holds none. @param now milliseconds since 1970 */
export async function openKeys(folder: string, now: number): Promise<{ keys: SiteKeys; isNew: boolean }> {
  if (await hasKeys(folder)) return { keys: await readKeys(folder), isNew: false }
  const random = (length: number) => new Uint8Array(randomBytes(length))
  return { keys: await makeKeys(folder, { now: Math.floor(now / 1000), random }), isNew: true }
}

/** Refuses a place whose files every visitor could read: a folder of the site that is not hidden. */
export async function assertUnpublished(what: string, place: string, site: string): Promise<void> {
  const [realPlace, realSite] = await Promise.all([
    realpath(place).catch(() => place),
    realpath(site).catch(() => site),
  ])
  for (const below of [relative(site, place), relative(realSite, realPlace)]) {
    const segments = below.split(sep)
    if (segments[0] === '..' || isAbsolute(below) || segments.some((segment) => segment.startsWith('.'))) continue
    throw new TypeError(`Cannot keep ${what} in ${place}: it lies within the site, where everybody could read it`)
  }
}
