import { join } from 'node:path'
import { hasList } from '../protocol/chunks.ts'
import { contentIdOf } from '../protocol/hash.ts'
import { rolesInCharge } from '../protocol/head-roles.ts'
import type { ContentId } from '../protocol/ids.ts'
import { sectionLimit } from '../protocol/limits.ts'
import type { HeadRole, Root } from '../protocol/manifest.ts'
import { assetOfRow, manifestFolder } from '../protocol/manifest.ts'
import { sectionOf } from '../protocol/paths.ts'
import { walkCatalogue } from './catalogue-walk.ts'
import { isBelow } from './guards.ts'
import type { HashedAsset } from './hash-assets.ts'
import { readPageIds } from './hash-assets.ts'
import type { SignedHead } from './head.ts'
import { ManifestFolder } from './manifest-folder.ts'
import type { PublishedAsset } from './publish.ts'
import { readNewestHeads } from './published-heads.ts'
import type { SkippedFile } from './scan.ts'

export interface AdoptHeadsOptions {
  readonly folder: string
  readonly state: string
  readonly root: Root
  readonly log: (line: string) => void
  /** The role whose heads are made here. */
  readonly own?: HeadRole | undefined
}

interface AdoptedHeads {
  /** In the order of the roles. */
  readonly heads: readonly SignedHead[]
  /** Whether one of them was not served before. */
  readonly isNewer: boolean
}

/**
 * What other machines published: of each role the newest head in the folder's own manifest, or the one that was served
 * last, whichever is newer. Parts are copied, so that a deploy that replaces the folder takes nothing away from visitors
 * who are a deploy behind.
 */
export async function adoptHeads(
  manifest: ManifestFolder,
  { folder, state, root, log, own }: AdoptHeadsOptions,
): Promise<AdoptedHeads> {
  const source = await ManifestFolder.open(join(folder, manifestFolder))
  const deployed = await readNewestHeads(source, undefined, root)
  const served = await readNewestHeads(manifest, state, root)
  const heads: SignedHead[] = []
  let isNewer = false
  for (const role of new Set([...served.keys(), ...deployed.keys()])) {
    if (role === own) continue
    const [offered, held] = [deployed.get(role), served.get(role)]
    if (offered === undefined || (held && held.head.seq >= offered.head.seq)) {
      if (held) heads.push(held)
      continue
    }
    try {
      await copyParts(offered, source, manifest)
      heads.push(offered)
      isNewer = true
    } catch (error) {
      if (held === undefined && own === undefined) throw error
      const reason = error instanceof Error ? error.message : String(error)
      const rest = held ? `seq ${held.head.seq} stays` : 'nothing of it is shared'
      log(`Cannot serve what was published as seq ${offered.head.seq}: ${reason}; ${rest}`)
      if (held) heads.push(held)
    }
  }
  // What a root took back by its floor, visitors would refuse.
  const believed = heads.filter(({ head }) => head.seq >= root.floor)
  return { heads: believed.toSorted((one, other) => one.role - other.role), isNewer }
}

/**
 * All that any of them names of what its signer speaks for, as many as visitors may join. Those of the release come
 * first: who has the key of a delegate must not crowd them out.
 */
export function sectionsOf(heads: readonly SignedHead[]): readonly string[] {
  const named = heads.flatMap(({ head, prefixes }) =>
    head.sections.filter(
      (section) => isBelow(section, prefixes) || prefixes.some((prefix) => prefix.startsWith(section)),
    ),
  )
  return [...new Set(named)].slice(0, sectionLimit).toSorted()
}

/** All or nothing: a head whose parts are still on their way is left for the next look. */
async function copyParts(signed: SignedHead, source: ManifestFolder, manifest: ManifestFolder): Promise<void> {
  const copy = async (id: ContentId): Promise<void> => {
    if (manifest.hasPart(id)) return
    const bytes = await source.readPart(id)
    if ((await contentIdOf(bytes)) !== id) throw new Error(`Cannot use part ${id}: not what its name says`)
    await manifest.putPart(id, bytes)
  }
  for await (const item of walkCatalogue(signed.head.index, signed.head.indexDepth, (id) => source.readPart(id))) {
    if (item.type === 'broken') {
      throw new Error(`Cannot read part ${item.id}`, { cause: item.error })
    }
    if (item.type === 'part') await copy(item.id)
    if (item.type !== 'row') continue
    const asset = { id: item.row[4], size: item.row[2], chunkSize: item.row[3] }
    if (hasList(asset)) await copy(asset.id)
    for (const page of await readPageIds(asset, manifest)) await copy(page)
  }
}

/**
 * The assets whose files are what was signed by whoever speaks for their paths. Others are served as they lie there, and
 * nobody shares them.
 *
 * @param own the role whose heads are made here: it speaks for its paths, too
 */
export async function matchRows(
  heads: readonly SignedHead[],
  root: Root,
  manifest: ManifestFolder,
  hashed: readonly HashedAsset[],
  own?: HeadRole,
): Promise<{ assets: ReadonlyMap<string, PublishedAsset>; skipped: readonly SkippedFile[] }> {
  const assets = new Map<string, PublishedAsset>()
  const skipped: SkippedFile[] = []
  if (heads.length === 0) return { assets, skipped }
  const files = new Map(hashed.map((file) => [file.path, file]))
  const roles = heads.map(({ role }) => role)
  const roleAt = rolesInCharge(root, own === undefined ? roles : [own, ...roles])
  for (const { head, role } of heads) {
    for await (const item of walkCatalogue(head.index, head.indexDepth, (id) => manifest.readPart(id))) {
      if (item.type !== 'row' || roleAt(item.row[0]) !== role) continue
      const asset = assetOfRow(item.row, head, sectionOf(item.row[0], head.sections))
      const found = files.get(asset.path)
      if (found?.id === asset.id && found.size === asset.size) {
        const { file, identity, sourceIdentity } = found
        assets.set(asset.path, { ...asset, file, identity, sourceIdentity })
      } else if (found) {
        skipped.push({ file: asset.path, reason: 'not the file that was signed' })
      }
    }
  }
  return { assets, skipped }
}
