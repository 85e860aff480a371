import { hash } from 'node:crypto'
import type { Bytes } from '../protocol/bytes.ts'
import { utf8 } from '../protocol/bytes.ts'
import { contentIdOfDigest } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { indexDepthLimit, indexRowLimit } from '../protocol/limits.ts'
import type { BinRow, IndexRow } from '../protocol/manifest.ts'

/** The rows of a site as parts and the index that the head holds. */
export interface Catalogue {
  readonly indexDepth: number
  readonly index: readonly IndexRow[]
  /** Bins and index pages. */
  readonly parts: ReadonlyMap<ContentId, Bytes>
}

/** Where groups of rows end. */
interface Grouping {
  /** A row in so many begins a group, on average, once the group before has its least. */
  readonly every: number
  readonly least: number
  readonly most: number
  readonly mostBytes: number
}

const oneBinRows = 300
const groupBytes = 48 * 1024
const oneBin: Grouping = { every: 1, least: Infinity, most: oneBinRows, mostBytes: groupBytes }
/*
 * What a visitor reads for an asset somewhere in a large site is one path through a tree whose entries cost 40 bytes
 * each, most of it a hash that no coding makes smaller: small groups and many levels are the fewest bytes, few levels
 * the fewest round trips. A site of 10,000 files has one level between head and bins, one of a million has three.
 */
const binGrouping: Grouping = { every: 6, least: 10, most: 64, mostBytes: groupBytes }
const pageGrouping: Grouping = { every: 4, least: 8, most: 64, mostBytes: groupBytes }
/** An index of more rows than this is cut into pages. Every visitor reads that of the head with each deploy. */
const headRows = 160

/**
 * Puts rows, in path order, into bins. What begins a bin is decided by a hash of the row's own path, so that a file
 * that comes or goes moves the borders of its own bin only and a deploy leaves the others as every visitor has them.
 *
 * @param indexBytes what the index may take in the head
 */
export function makeCatalogue(rows: readonly BinRow[], indexBytes: number): Catalogue {
  const parts = new Map<ContentId, Bytes>()
  let { index, bytes } = addGroups(parts, rows, rows.length <= oneBinRows ? oneBin : binGrouping)
  for (let indexDepth = 0; ; indexDepth += 1) {
    const isSmall = index.length <= headRows || (indexDepth === indexDepthLimit && index.length <= indexRowLimit)
    if (isSmall && bytes <= indexBytes) return { indexDepth, index, parts }
    if (indexDepth === indexDepthLimit) break
    ;({ index, bytes } = addGroups(parts, index.map(indexTuple), pageGrouping))
  }
  const room = `${Math.max(0, indexBytes)} bytes that sections, response headers and URL rules leave in a head`
  throw new RangeError(`Cannot publish: an index of ${rows.length} files does not fit the ${room}`)
}

/** As the formats spell a row of an index. */
export function indexTuple(row: IndexRow): readonly [first: string, id: ContentId] {
  return [row.first, row.id]
}

/** Cuts rows into groups, each of them a part, and gives the index of these and how long it is as JSON. */
function addGroups(
  parts: Map<ContentId, Bytes>,
  rows: readonly (readonly [path: string, ...rest: unknown[]])[],
  grouping: Grouping,
): { index: readonly IndexRow[]; bytes: number } {
  const index: IndexRow[] = []
  let [indexBytes, groupLength] = [2, 0]
  let first = ''
  let group: string[] = []
  const end = (): void => {
    if (group.length === 0) return // the empty site
    const bytes = utf8(`{"rows":[${group.join(',')}]}`)
    const id = contentIdOfDigest(hash('sha256', bytes, 'buffer'))
    parts.set(id, bytes)
    index.push({ first, id })
    indexBytes += JSON.stringify([first, id]).length + 1
    group = []
    groupLength = 0
  }
  for (const row of rows) {
    const json = JSON.stringify(row) // ASCII, as canonical paths are: its length is that of its bytes
    const isFull = group.length >= grouping.most || groupLength + json.length + 1 > grouping.mostBytes
    if (isFull || (group.length >= grouping.least && isBorder(row[0], grouping.every))) end()
    if (group.length === 0) first = row[0]
    group.push(json)
    groupLength += json.length + 1
  }
  end()
  return { index, bytes: indexBytes }
}

/**
 * By FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/) with the end of MurmurHash3, for the borders of numbered names
 * must not follow their numbers. Nobody gains by choosing borders, and a million SHA-256 would take a second.
 */
function isBorder(path: string, every: number): boolean {
  let state = 0x811c9dc5
  for (let at = 0; at < path.length; at += 1) state = Math.imul(state ^ path.charCodeAt(at), 0x01000193)
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return ((state ^ (state >>> 16)) >>> 0) % every === 0
}
