import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { ContentId } from '../protocol/ids.ts'
import { parseContentId } from '../protocol/ids.ts'
import { writeAtomically } from './write-atomically.ts'

/** What is known of a file that was hashed before. */
export interface KnownHash {
  /** Canonical. */
  readonly path: string
  /** See `identityOf`. */
  readonly identity: string
  readonly size: number
  readonly id: ContentId
  readonly isUtf8: boolean
}

/** By canonical path. */
export type HashCache = ReadonlyMap<string, KnownHash>

const readBytes = 1024 * 1024
const firstLine = 'nearhand hashes 2'

/** Empty where there is no cache, or one of another version: then everything is hashed again. */
export async function readHashCache(file: string): Promise<HashCache> {
  const known = new Map<string, KnownHash>()
  if ((await stat(file).catch(() => undefined)) === undefined) return known
  let isOurs = false
  let rest = ''
  for await (const text of createReadStream(file, { encoding: 'utf8', highWaterMark: readBytes })) {
    const lines = (rest + String(text)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!isOurs && line !== firstLine) return known
      isOurs = true
      const [path, identity, size, hash, charset] = line.split('\t')
      const id = parseContentId(hash ?? '')
      if (path && identity && id)
        known.set(path, { path, identity, size: Number(size), id, isUtf8: charset === 'utf-8' })
    }
  }
  return known
}

export function writeHashCache(file: string, known: readonly KnownHash[]): Promise<void> {
  return writeAtomically(file, linesOf(known))
}

/** Some thousand at a time: all in one are more than a string may hold, where there are many million. */
function* linesOf(known: readonly KnownHash[]): Generator<string> {
  let lines = `${firstLine}\n`
  for (const { path, identity, size, id, isUtf8 } of known) {
    lines += `${path}\t${identity}\t${size}\t${id}\t${isUtf8 ? 'utf-8' : '-'}\n`
    if (lines.length < readBytes) continue
    yield lines
    lines = ''
  }
  yield lines
}
