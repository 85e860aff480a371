import { basename } from 'node:path'
import * as v from 'valibot'
import { bytesOfBase64 } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import type { Head } from '../protocol/manifest.ts'
import { parseHead } from '../protocol/manifest.ts'
import { walkCatalogue } from './catalogue-walk.ts'
import { ManifestFolder } from './manifest-folder.ts'
import { readManifestPlace } from './published-heads.ts'

/** What a path held in the last publications. */
interface PublishedContent {
  readonly ids: readonly ContentId[]
  /** A path with the same file name, where the one asked for is not listed. */
  readonly near: string | undefined
}

const envelopeSchema = v.object({ payload: v.string() })

/**
 * Looks a path up in the newest heads that were published with this state: devices may hold the content of each.
 * Throws where nothing was published.
 */
export async function findPublished(state: string, path: string): Promise<PublishedContent> {
  const place = await readManifestPlace(state)
  const manifest = place === undefined ? undefined : await ManifestFolder.open(place)
  const heads = [...((await manifest?.readHeads()) ?? new Map<ContentId, string>()).values()]
    .map(headOf)
    .toSorted((one, other) => other.seq - one.seq)
  if (manifest === undefined || heads.length === 0) {
    throw new Error(
      `Cannot look up ${path}: nothing was published with the state in ${state}; name the content by its id`,
    )
  }
  const ids = new Set<ContentId>()
  let near: string | undefined
  for (const head of heads) {
    for await (const item of walkCatalogue(head.index, head.indexDepth, (id) => manifest.readPart(id))) {
      if (item.type === 'broken')
        throw new Error(`Cannot look up ${path}: part ${item.id} cannot be read`, { cause: item.error })
      if (item.type !== 'row') continue
      const [name, , , , id] = item.row
      if (name === path) ids.add(id)
      else if (basename(name) === basename(path)) near ??= name
    }
  }
  return { ids: [...ids], near }
}

/** Without its signature: this machine wrote it. */
function headOf(envelope: string): Head {
  return parseHead(bytesOfBase64(v.parse(envelopeSchema, JSON.parse(envelope)).payload))
}
