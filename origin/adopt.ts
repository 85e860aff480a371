import { contentIdOf } from '../protocol/hash.ts'
import { assetLimitBytes } from '../protocol/limits.ts'
import { releaseRole } from '../protocol/manifest.ts'
import { adoptHeads, matchRows, sectionsOf } from './adopt-heads.ts'
import type { PublishProgress } from './hash-assets.ts'
import { hashSite } from './hash-site.ts'
import type { SiteKeys } from './keys.ts'
import { ManifestFolder } from './manifest-folder.ts'
import type { Publication } from './publish.ts'
import { pruneManifest, rememberHeads } from './published-heads.ts'
import { realPlace } from './real-place.ts'
import { scanFolder } from './scan.ts'

/* A server without a key that signs heads serves what other machines published, see `adoptHeads`. */

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
  const { heads, isNewer } = await adoptHeads(manifest, { folder, state, root: keys.root, log: options.log })
  const signed = heads.find(({ role }) => role === releaseRole) ?? heads[0]
  if (signed === undefined) return nothingPublished(options)
  const hidden = await Promise.all([state, ...options.hidden].map(realPlace))
  const scan = await scanFolder(folder, hidden, options.signal)
  const hashed = await hashSite(scan.files, manifest, assetLimitBytes, options)
  const { assets, skipped } = await matchRows(heads, keys.root, manifest, hashed.assets)
  options.signal?.throwIfAborted()
  for (const { hash, envelope } of heads) await manifest.putHead(hash, envelope)
  if (isNewer) {
    await rememberHeads(state, heads, out)
    await pruneManifest(manifest, keys.root, now)
  }
  return {
    head: signed.head,
    headHash: signed.hash,
    headEnvelope: signed.envelope,
    heads,
    sections: sectionsOf(heads),
    freshEnvelope: undefined,
    assets,
    prefixes: [...new Set(heads.flatMap(({ prefixes }) => prefixes))],
    outside: 0,
    skipped,
    hashedFiles: hashed.hashedFiles,
  }
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
      sections: ['/'],
      headerSets: [],
      assetCount: 0,
      indexDepth: 0,
      index: [],
    },
    headHash: await contentIdOf(new Uint8Array()),
    headEnvelope: '',
    heads: [],
    sections: [...new Set(['/', ...sections])].toSorted(),
    freshEnvelope: undefined,
    assets: new Map(),
    prefixes: [],
    outside: 0,
    skipped: [],
    hashedFiles: 0,
  }
}
