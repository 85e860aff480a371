import { join } from 'node:path'
import * as v from 'valibot'
import type { Bytes } from '../protocol/bytes.ts'
import type { AssetSizes } from '../protocol/chunks.ts'
import { hasList } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { parseJson } from '../protocol/json.ts'
import { delegateLimit, headLimitBytes, headsKept } from '../protocol/limits.ts'
import type { HeadRole, Root } from '../protocol/manifest.ts'
import { list } from '../protocol/schemas.ts'
import { readText } from './keys-chain.ts'
import type { Catalogue } from './bins.ts'
import { walkCatalogue } from './catalogue-walk.ts'
import type { SignedHead } from './head.ts'
import { readPageIds } from './hash-assets.ts'
import { openHead } from './head.ts'
import type { ManifestFolder } from './manifest-folder.ts'
import { writeAtomically } from './write-atomically.ts'

const headsFile = 'heads.json'
const placeFile = 'published.json'
const placeLimitBytes = 16_384
const placeSchema = v.object({ manifest: v.string() })
const headsLimit = delegateLimit + 1
const headsLimitBytes = headsLimit * headLimitBytes * 2
const headsSchema = list(v.string(), headsLimit)

/** The newest head of each role that either folder remembers: build tools like to empty the one, machines the other. */
export async function readNewestHeads(
  manifest: ManifestFolder,
  state: string | undefined,
  root: Root,
): Promise<ReadonlyMap<HeadRole, SignedHead>> {
  const published = await openNewestFirst((await manifest.readHeads()).values(), root)
  const remembered = state === undefined ? [] : await readRememberedHeads(state, root)
  const newest = new Map<HeadRole, SignedHead>()
  // Of two with one number what was served before stays: visitors would believe neither (equivocation).
  for (const signed of [...remembered, ...published]) {
    const known = newest.get(signed.role)
    if (known === undefined || signed.head.seq > known.head.seq) newest.set(signed.role, signed)
  }
  return newest
}

/** The heads that were published or served last with this state. */
export async function readRememberedHeads(state: string, root: Root): Promise<readonly SignedHead[]> {
  const text = await readText(join(state, headsFile))
  if (text === undefined) return []
  return openNewestFirst(parseJson(headsSchema, text, headsLimitBytes, headsFile), root)
}

/** @param out the manifest folder that they are in */
export async function rememberHeads(state: string, heads: readonly SignedHead[], out: string): Promise<void> {
  await writeAtomically(join(state, headsFile), JSON.stringify(heads.map(({ envelope }) => envelope)))
  await writeAtomically(join(state, placeFile), JSON.stringify({ manifest: out }))
}

/** The manifest folder that was last published into with this state; undefined where none was. */
export async function readManifestPlace(state: string): Promise<string | undefined> {
  const text = await readText(join(state, placeFile))
  return text === undefined ? undefined : parseJson(placeSchema, text, placeLimitBytes, placeFile).manifest
}

/** What the newest head is made of. */
interface Newest {
  readonly catalogue: Catalogue
  readonly assets: Iterable<ListedContent>
}

type ListedContent = AssetSizes & { readonly id: ContentId }

/**
 * Removes the parts that no head of the last few uses, and the older heads. Of the heads before, only what they do not
 * share with the newest is read: of a million files that would take longer than all else.
 *
 * @param now seconds since 1970
 * @param newest what is known of the newest head without reading it again
 */
export async function pruneManifest(manifest: ManifestFolder, root: Root, now: number, newest?: Newest): Promise<void> {
  const counts = new Map<HeadRole, number>()
  const kept = (await openNewestFirst((await manifest.readHeads()).values(), root)).filter(({ role }) => {
    counts.set(role, (counts.get(role) ?? 0) + 1)
    return (counts.get(role) ?? 0) <= headsKept
  })
  const parts = new Set<ContentId>(newest?.catalogue.parts.keys())
  for (const asset of newest?.assets ?? []) if (hasList(asset)) await addLists(parts, asset, manifest)
  for (const { head } of kept) {
    const read = (id: ContentId): Promise<Bytes> => manifest.readPart(id)
    for await (const item of walkCatalogue(head.index, head.indexDepth, read, (id) => parts.has(id))) {
      if (item.type === 'part') parts.add(item.id)
      if (item.type !== 'row') continue
      const asset = { id: item.row[4], size: item.row[2], chunkSize: item.row[3] }
      if (hasList(asset)) await addLists(parts, asset, manifest)
    }
  }
  await manifest.prune(new Set(kept.map(({ hash }) => hash)), parts, now * 1000)
}

async function addLists(parts: Set<ContentId>, asset: ListedContent, manifest: ManifestFolder): Promise<void> {
  parts.add(asset.id)
  for (const page of await readPageIds(asset, manifest)) parts.add(page)
}

async function openNewestFirst(envelopes: Iterable<string>, root: Root): Promise<SignedHead[]> {
  const opened: SignedHead[] = []
  for (const envelope of envelopes) {
    const signed = await openHead(envelope, root)
    if (signed) opened.push(signed)
  }
  return opened.toSorted((one, other) => other.head.seq - one.head.seq)
}
