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

const readBytes = 1024 * 1024
const firstLine = 'nearhand hashes 2'

/**
 * What is known of a site's files, in path order. They are asked for in that order, too: to put a million into a map, and
 * to look them up in it, takes longer than to read them.
 */
export class HashCache {
  /** In path order. */
  readonly all: readonly KnownHash[]
  /** Where the next one that is asked for stands, most likely. */
  #next = 0

  constructor(all: readonly KnownHash[]) {
    const isSorted = all.every(({ path }, at) => at === 0 || (all[at - 1]?.path ?? '') < path)
    this.all = isSorted ? all : all.toSorted((one, other) => (one.path < other.path ? -1 : 1))
  }

  find(path: string): KnownHash | undefined {
    if (this.all[this.#next]?.path !== path) this.#next = this.#placeOf(path)
    const known = this.all[this.#next]
    if (known?.path !== path) return undefined
    this.#next += 1
    return known
  }

  #placeOf(path: string): number {
    let [low, high] = [0, this.all.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.all[middle]?.path ?? '') < path) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Empty where there is no cache, or one of another version: then everything is hashed again. */
export async function readHashCache(file: string): Promise<HashCache> {
  const known: KnownHash[] = []
  if ((await stat(file).catch(() => undefined)) === undefined) return new HashCache(known)
  let isOurs = false
  let rest = ''
  for await (const text of createReadStream(file, { encoding: 'utf8', highWaterMark: readBytes })) {
    const lines = rest + String(text)
    let start = 0
    for (let end = lines.indexOf('\n'); end >= 0; end = lines.indexOf('\n', start)) {
      const line = lines.slice(start, end)
      start = end + 1
      if (!isOurs && line !== firstLine) return new HashCache([])
      const one = isOurs ? parseLine(line) : undefined
      if (one) known.push(one)
      isOurs = true
    }
    rest = lines.slice(start)
  }
  return new HashCache(known)
}

function parseLine(line: string): KnownHash | undefined {
  const identityAt = line.indexOf('\t') + 1
  const sizeAt = line.indexOf('\t', identityAt) + 1
  const idAt = line.indexOf('\t', sizeAt) + 1
  const charsetAt = line.indexOf('\t', idAt) + 1
  const id = parseContentId(line.slice(idAt, charsetAt - 1))
  if (id === undefined || identityAt < 2 || sizeAt - identityAt < 2) return undefined
  return {
    path: line.slice(0, identityAt - 1),
    identity: line.slice(identityAt, sizeAt - 1),
    size: Number(line.slice(sizeAt, idAt - 1)),
    id,
    isUtf8: line.endsWith('utf-8'),
  }
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
