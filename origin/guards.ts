import type { SignedHead } from './head.ts'
import type { PublishedAsset } from './publish.ts'

/**
 * The sections that passes alone open, as heads say. A head closes none beyond what its signer speaks for: a stolen key of
 * a delegate could shut visitors out of the whole site.
 */
export function guardedSections(heads: readonly SignedHead[]): readonly string[] {
  return heads.flatMap(({ head, prefixes }) => (head.guarded ?? []).filter((section) => isBelow(section, prefixes)))
}

/** Throws where an asset would be guarded by a section that its signer cannot close: other machines would let all in. */
export function assertOwnGuards(assets: readonly PublishedAsset[], prefixes: readonly string[]): void {
  const open = assets.find(({ isGuarded, section }) => isGuarded === true && !isBelow(section, prefixes))
  if (open === undefined) return
  throw new RangeError(
    `Cannot guard ${open.section}: the key here speaks for ${prefixes.join(', ')} alone; guard what lies below that, too`,
  )
}

export function isBelow(section: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => section.startsWith(prefix))
}
