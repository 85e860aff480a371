import { hash } from 'node:crypto'
import type { Bytes } from '../protocol/bytes.ts'
import { utf8 } from '../protocol/bytes.ts'
import { contentIdOfDigest } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { binRowLimit, indexDepthLimit, indexRowLimit } from '../protocol/limits.ts'
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
  /** A row in so many begins a group, on average. */
  readonly every: number
  readonly least: number
  readonly most: number
  readonly mostBytes: number
}

const oneBinRows = 300
const groupBytes = 48 * 1024
const binGrouping: Grouping = { every: 48, least: 8, most: binRowLimit, mostBytes: groupBytes }
const pageGrouping: Grouping = { every: 128, least: 32, most: indexRowLimit, mostBytes: groupBytes }

/**
 * Puts rows, in path order, into bins. What begins a bin is decided by a hash of the row's own path, so that a file
 * that comes or goes moves the borders of its own bin only and a deploy leaves the others as every visitor has them.
 *
 * @param indexBytes what the index may take in the head
 */
export function makeCatalogue(rows: readonly BinRow[], indexBytes: number): Catalogue {
  const parts = new Map<ContentId, Bytes>()
  const isSmall = rows.length <= oneBinRows && encode(rows).length <= groupBytes
  const bins = isSmall ? [rows] : group(rows, (row) => row[0], binGrouping)
  let index = bins.flatMap((bin) => addPart(parts, bin, (row) => row[0]))
  for (let indexDepth = 0; indexDepth <= indexDepthLimit; indexDepth += 1) {
    if (index.length <= indexRowLimit && encode(index.map(indexTuple)).length <= indexBytes) {
      return { indexDepth, index, parts }
    }
    const pages = group(index.map(indexTuple), (row) => row[0], pageGrouping)
    index = pages.flatMap((page) => addPart(parts, page, (row) => row[0]))
  }
  throw new RangeError(`Cannot publish: ${rows.length} files are more than an index can hold`)
}

/** As the formats spell a row of an index. */
export function indexTuple(row: IndexRow): readonly [first: string, id: ContentId] {
  return [row.first, row.id]
}

function addPart<Row>(parts: Map<ContentId, Bytes>, rows: readonly Row[], pathOf: (row: Row) => string): IndexRow[] {
  const [first] = rows
  if (first === undefined) return [] // the empty site
  const bytes = encode(rows)
  const id = contentIdOfDigest(hash('sha256', bytes, 'buffer'))
  parts.set(id, bytes)
  return [{ first: pathOf(first), id }]
}

function group<Row>(rows: readonly Row[], pathOf: (row: Row) => string, grouping: Grouping): Row[][] {
  const groups: Row[][] = []
  let current: Row[] = []
  let bytes = 0
  for (const row of rows) {
    const length = utf8(JSON.stringify(row)).length + 1
    const isFull = current.length >= grouping.most || bytes + length > grouping.mostBytes
    if (isFull || (current.length >= grouping.least && isBorder(pathOf(row), grouping.every))) {
      groups.push(current)
      current = []
      bytes = 0
    }
    current.push(row)
    bytes += length
  }
  return [...groups, current]
}

function isBorder(path: string, every: number): boolean {
  return hash('sha256', path, 'buffer').readUInt32BE(0) % every === 0
}

function encode(rows: readonly unknown[]): Bytes {
  return utf8(JSON.stringify({ rows }))
}
