import { headSignerOf } from './head.ts'
import type { SiteKeys } from './keys.ts'
import { keyFiles } from './keys.ts'
import type { Publication } from './publish.ts'

/** What a server cannot do with the keys that it has, one line each; nothing where it has all that a server uses. */
export function describeKeyLimits(
  keys: SiteKeys,
  { head, prefixes, outside }: Publication,
  freshSeconds: number,
): readonly string[] {
  const lines: string[] = []
  if (headSignerOf(keys) === undefined) {
    lines.push(
      head.seq === 0
        ? `Nothing was published in the folder, and no ${keyFiles.headKey} is here: visitors are introduced to each other, and that is all`
        : `Serves what was published as seq ${head.seq}: without ${keyFiles.headKey} a file that changes is not shared until the next nearhand publish`,
    )
  } else if (!prefixes.includes('/')) {
    lines.push(
      `Publishes by ${keyFiles.delegateKey}: only what lies below ${prefixes.join(', ')} is shared, ${outside} files elsewhere are not`,
    )
  }
  if (keys.fresh === undefined) {
    lines.push(`Without ${keyFiles.freshKey}, no takedown, pause or newer head is told to visitors by this server`)
  }
  if (keys.fresh !== undefined && freshSeconds > keys.root.freshSeconds) {
    lines.push(
      `Signs what holds for ${keys.root.freshSeconds} seconds and not for ${freshSeconds}: the root allows no more (nearhand keys renew --fresh-life)`,
    )
  }
  if (keys.token === undefined) lines.push(`Without ${keyFiles.tokenKey}, this server gives nobody a pass to join`)
  if (keys.swarmSecret === undefined) lines.push(`Without ${keyFiles.swarmSecret}, nobody can join by this server`)
  return lines
}
