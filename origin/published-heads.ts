import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hasList } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { headsKept } from '../protocol/limits.ts'
import type { Root } from '../protocol/manifest.ts'
import { walkCatalogue } from './catalogue-walk.ts'
import type { OpenedHead, SignedHead } from './head.ts'
import { openHead } from './head.ts'
import type { ManifestFolder } from './manifest-folder.ts'
import { writeAtomically } from './write-atomically.ts'

export const headFile = 'head.json'

/** The newest head of this site that either folder remembers: build tools like to empty the one, machines the other. */
export async function readPreviousHead(
  manifest: ManifestFolder,
  state: string,
  root: Root,
): Promise<OpenedHead | undefined> {
  const remembered = await readFile(join(state, headFile), 'utf8').catch(() => undefined)
  const envelopes = [...(await manifest.readHeads()).values(), ...(remembered === undefined ? [] : [remembered])]
  return (await openNewestFirst(envelopes, root))[0]
}

export async function rememberHead(state: string, signed: SignedHead): Promise<void> {
  await writeAtomically(join(state, headFile), signed.envelope)
}

/** Removes the parts that no head of the last few uses, and the older heads. @param now seconds since 1970 */
export async function pruneManifest(manifest: ManifestFolder, root: Root, now: number): Promise<void> {
  const kept = (await openNewestFirst((await manifest.readHeads()).values(), root)).slice(0, headsKept)
  const parts = new Set<ContentId>()
  for (const { head } of kept) {
    for await (const item of walkCatalogue(head.index, head.indexDepth, (id) => manifest.readPart(id))) {
      if (item.type === 'part') parts.add(item.id)
      if (item.type === 'row' && hasList({ size: item.row[2], chunkSize: item.row[3] })) parts.add(item.row[4])
    }
  }
  await manifest.prune(new Set(kept.map(({ hash }) => hash)), parts, now * 1000)
}

async function openNewestFirst(envelopes: Iterable<string>, root: Root): Promise<OpenedHead[]> {
  const opened: OpenedHead[] = []
  for (const envelope of envelopes) {
    const signed = await openHead(envelope, root)
    if (signed) opened.push(signed)
  }
  return opened.toSorted((one, other) => other.head.seq - one.head.seq)
}
