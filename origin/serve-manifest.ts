import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { utf8 } from '../protocol/bytes.ts'
import { parseContentId } from '../protocol/ids.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { isAbsence } from './disk-file.ts'
import type { Representation } from './representation.ts'
import { bytesRepresentation } from './representation.ts'

const immutable = 'public, max-age=31536000, immutable'
const json = 'application/json; charset=utf-8'
const openingBrace = 0x7b

/**
 * A signed file by its name below the manifest folder, or undefined. Heads and parts are named by their hash and
 * never change; the root changes with a rotation of keys.
 */
export async function findManifestFile(folder: string, name: string): Promise<Representation | undefined> {
  const known = knownName(name)
  if (known === undefined) return undefined
  try {
    const bytes = new Uint8Array(await readFile(join(folder, ...name.split('/'))))
    // A part is a bin or an index page, JSON text that compresses well, or a chunk list, digests that do not.
    const contentType = bytes[0] === openingBrace ? json : known.contentType
    return bytesRepresentation(bytes, {
      etag: etagOfBytes(bytes),
      headers: [
        ['content-type', contentType],
        ['cache-control', known.cacheControl],
      ],
    })
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

export function textRepresentation(text: string, headers: Representation['headers']): Representation {
  const bytes = utf8(text)
  return bytesRepresentation(bytes, { etag: etagOfBytes(bytes), headers })
}

export function etagOfBytes(bytes: Uint8Array): string {
  return `"${createHash('sha256').update(bytes).digest('hex').slice(0, 32)}"`
}

/** Only names of the agreed form reach the disk. */
function knownName(name: string): { contentType: string; cacheControl: string } | undefined {
  if (name === manifestFiles.root) return { contentType: json, cacheControl: 'no-cache' }
  if (/^roots\/[1-9]\d{0,8}\.json$/.test(name)) return { contentType: json, cacheControl: immutable }
  const [, folder, hash] = /^(heads|parts)\/([0-9a-f]{64})(?:\.json)?$/.exec(name) ?? []
  const id = parseContentId(hash ?? '')
  if (id === undefined) return undefined
  if (folder === 'heads' && name === manifestFiles.head(id)) return { contentType: json, cacheControl: immutable }
  if (folder === 'parts' && name === manifestFiles.part(id)) {
    return { contentType: 'application/octet-stream', cacheControl: immutable }
  }
  return undefined
}
