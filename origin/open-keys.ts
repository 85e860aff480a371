import { randomBytes } from 'node:crypto'
import type { SiteKeys } from './keys.ts'
import { hasKeys, makeKeys, readKeys } from './keys.ts'

/**
 * The keys of the site, new ones where the folder holds none.
 * @param now milliseconds since 1970
 * @param freshSeconds the longest life of a fresh that the root of new ones allows
 */
export async function openKeys(
  folder: string,
  now: number,
  freshSeconds?: number,
): Promise<{ keys: SiteKeys; isNew: boolean }> {
  if (await hasKeys(folder)) return { keys: await readKeys(folder), isNew: false }
  const random = (length: number) => new Uint8Array(randomBytes(length))
  return { keys: await makeKeys(folder, { now: Math.floor(now / 1000), random, freshSeconds }), isNew: true }
}
