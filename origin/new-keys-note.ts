import type { SiteKeys } from './keys.ts'
import { keyFiles } from './keys.ts'

/** What the owner must know of keys that were just made. */
export function newKeysNote(keys: SiteKeys, folder: string): string {
  const { rootKey, headKey, freshKey, site, root } = keyFiles
  return `Made the keys of site ${keys.site} in ${folder}
  Back up ${rootKey}, ${site} and ${root}, away from this machine: without them the site cannot change its keys.
  A machine that only publishes, such as CI, needs ${root} and ${headKey}; for a static host ${freshKey}, too.
  Never publish or commit this folder.
`
}
