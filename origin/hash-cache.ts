import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { ContentId } from '../protocol/ids.ts'
import { parseContentId } from '../protocol/ids.ts'
import { writeAtomically } from './write-atomically.ts'

/** What is known of a file that was hashed before. */
export interface KnownHash {
  /** See `identityOf`. */
  readonly identity: string
  readonly size: number
  readonly id: ContentId
  readonly isUtf8: boolean
}

/** By canonical path. */
export type HashCache = ReadonlyMap<string, KnownHash>

const firstLine = 'nearhand hashes 2'

/** Empty where there is no cache, or one of another version: then everything is hashed again. */
export async function readHashCache(file: string): Promise<HashCache> {
  const known = new Map<string, KnownHash>()
  if ((await stat(file).catch(() => undefined)) === undefined) return known
  let isOurs = false
  for await (const line of createInterface({ input: createReadStream(file, 'utf8') })) {
    if (!isOurs && line !== firstLine) return known
    isOurs = true
    const [path, identity, size, hash, charset] = line.split('\t')
    const id = parseContentId(hash ?? '')
    if (path && identity && id) known.set(path, { identity, size: Number(size), id, isUtf8: charset === 'utf-8' })
  }
  return known
}

export function writeHashCache(file: string, cache: HashCache): Promise<void> {
  const lines = [firstLine]
  for (const [path, { identity, size, id, isUtf8 }] of cache) {
    lines.push([path, identity, size, id, isUtf8 ? 'utf-8' : '-'].join('\t'))
  }
  return writeAtomically(file, `${lines.join('\n')}\n`)
}
