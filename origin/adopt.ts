import { join } from 'node:path'
import { hasList } from '../protocol/chunks.ts'
import { contentIdOf } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { assetLimitBytes } from '../protocol/limits.ts'
import { assetOfRow, manifestFolder } from '../protocol/manifest.ts'
import { sectionOf } from '../protocol/paths.ts'
import { walkCatalogue } from './catalogue-walk.ts'
import type { HashedAsset, PublishProgress } from './hash-assets.ts'
import { readPageIds } from './hash-assets.ts'
import { hashSite } from './hash-site.ts'
import type { OpenedHead } from './head.ts'
import type { SiteKeys } from './keys.ts'
import { ManifestFolder } from './manifest-folder.ts'
import type { Publication, PublishedAsset } from './publish.ts'
import { pruneManifest, readPreviousHead, rememberHead } from './published-heads.ts'
import { realPlace } from './real-place.ts'
import type { SkippedFile } from './scan.ts'
import { scanFolder } from './scan.ts'

/*
 * A server without the key that signs heads serves what another machine published: the newest head in the folder's own
 * manifest, or the one it served last, whichever is newer. Its parts are copied, so that a deploy that replaces the
 * folder takes nothing away from visitors who are a deploy behind.
 */

export interface AdoptOptions {
  readonly folder: string
  /** Where the copy of the manifest goes. */
  readonly out: string
  readonly state: string
  readonly keys: SiteKeys
  readonly hidden: readonly string[]
  /** Of a machine that has nothing to serve and only introduces visitors: the sections in which they meet. */
  readonly sections: readonly string[]
  /** Seconds since 1970. */
  readonly now: number
  readonly log: (line: string) => void
  readonly onProgress?: (progress: PublishProgress) => void
  readonly signal?: AbortSignal
}

export async function adoptPublished(options: AdoptOptions): Promise<Publication> {
  const { folder, out, state, keys, now } = options
  const manifest = await ManifestFolder.open(out)
  await manifest.putRoots(keys.roots)
  const { signed, isNewer } = await pickHead(manifest, options)
  if (signed === undefined) return nothingPublished(options)
  const hidden = await Promise.all([state, ...options.hidden].map(realPlace))
  const scan = await scanFolder(folder, hidden, options.signal)
  const hashed = await hashSite(scan.files, manifest, assetLimitBytes, options)
  const { assets, skipped } = await matchRows(signed, manifest, hashed.assets)
  options.signal?.throwIfAborted()
  if (isNewer) {
    await manifest.putHead(signed.hash, signed.envelope)
    await rememberHead(state, signed, out)
    await pruneManifest(manifest, keys.root, now)
  }
  return {
    head: signed.head,
    headHash: signed.hash,
    headEnvelope: signed.envelope,
    freshEnvelope: undefined,
    assets,
    prefixes: signed.prefixes,
    outside: 0,
    skipped,
    hashedFiles: hashed.hashedFiles,
  }
}

async function pickHead(
  manifest: ManifestFolder,
  { folder, state, keys, log }: AdoptOptions,
): Promise<{ signed: OpenedHead | undefined; isNewer: boolean }> {
  const source = await ManifestFolder.open(join(folder, manifestFolder))
  const deployed = await readPreviousHead(source, undefined, keys.root)
  const served = await readPreviousHead(manifest, state, keys.root)
  if (deployed === undefined || (served && served.head.seq >= deployed.head.seq))
    return { signed: served, isNewer: false }
  try {
    await copyParts(deployed, source, manifest)
    return { signed: deployed, isNewer: true }
  } catch (error) {
    if (served === undefined) throw error
    const reason = error instanceof Error ? error.message : String(error)
    log(`Cannot serve what was published as seq ${deployed.head.seq}: ${reason}; seq ${served.head.seq} stays`)
    return { signed: served, isNewer: false }
  }
}

/** All or nothing: a head whose parts are still on their way is left for the next look. */
async function copyParts(signed: OpenedHead, source: ManifestFolder, manifest: ManifestFolder): Promise<void> {
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

/** The assets whose files are what was signed. Others are served as they lie there, and nobody shares them. */
async function matchRows(
  { head, prefixes }: OpenedHead,
  manifest: ManifestFolder,
  hashed: readonly HashedAsset[],
): Promise<{ assets: ReadonlyMap<string, PublishedAsset>; skipped: readonly SkippedFile[] }> {
  const files = new Map(hashed.map((file) => [file.path, file]))
  const assets = new Map<string, PublishedAsset>()
  const skipped: SkippedFile[] = []
  for await (const item of walkCatalogue(head.index, head.indexDepth, (id) => manifest.readPart(id))) {
    if (item.type !== 'row') continue
    const asset = assetOfRow(item.row, head, sectionOf(item.row[0], head.sections))
    const file = files.get(asset.path)
    if (!prefixes.some((prefix) => asset.path.startsWith(prefix))) continue
    if (file?.id === asset.id && file.size === asset.size) {
      assets.set(asset.path, {
        ...asset,
        file: file.file,
        identity: file.identity,
        sourceIdentity: file.sourceIdentity,
      })
    } else if (file) {
      skipped.push({ file: asset.path, reason: 'not the file that was signed' })
    }
  }
  return { assets, skipped }
}

/** Nothing is signed, so nothing is shared from here. The head, which nobody sees, has expired for ever. */
async function nothingPublished({ keys, sections, now }: AdoptOptions): Promise<Publication> {
  return {
    head: {
      site: keys.site,
      seq: 0,
      created: now,
      expires: 0,
      previous: null,
      sections: [...new Set(['/', ...sections])].toSorted(),
      headerSets: [],
      assetCount: 0,
      indexDepth: 0,
      index: [],
    },
    headHash: await contentIdOf(new Uint8Array()),
    headEnvelope: '',
    freshEnvelope: undefined,
    assets: new Map(),
    prefixes: [],
    outside: 0,
    skipped: [],
    hashedFiles: 0,
  }
}
