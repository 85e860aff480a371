import type { ContentId } from '../protocol/ids.ts'
import { parseContentId } from '../protocol/ids.ts'
import type { ContentStore } from './content.ts'
import { isAbsence, isUnchanged, openFile } from './disk-file.ts'
import type { Publisher } from './publisher.ts'
import type { Representation } from './representation.ts'
import { fileRepresentation } from './representation.ts'
import { etagOfContent } from './site-files.ts'

/** The bytes of an asset of this or the last heads, by content id, as nobody's type: it is data, not a page. */
export async function findContent(
  publisher: Publisher,
  store: ContentStore,
  name: string,
): Promise<Representation | undefined> {
  const id = parseContentId(name)
  if (id === undefined) return undefined
  const asset = publisher.assetOf(id)
  // Whoever may have it asks by its own path, where the site's own check stands.
  if (asset?.isGuarded === true) return undefined
  const current = asset && (await openAs(id, asset))
  if (current) return current
  const copy = store.find(id)
  return copy === undefined ? undefined : openAs(id, { file: copy, identity: undefined })
}

async function openAs(
  id: ContentId,
  source: { readonly file: string; readonly identity: string | undefined },
): Promise<Representation | undefined> {
  const found = await openFile(source.file).catch((error: unknown) => {
    if (isAbsence(error)) return undefined
    throw error
  })
  if (found?.type !== 'file') return undefined
  if (!isUnchanged(source, found.stats)) {
    await found.handle.close()
    return undefined
  }
  return fileRepresentation(found.handle, {
    size: Number(found.stats.size),
    etag: etagOfContent(id),
    headers: [
      ['content-type', 'application/octet-stream'],
      ['cache-control', 'public, max-age=31536000, immutable'],
    ],
  })
}
