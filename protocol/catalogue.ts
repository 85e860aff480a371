import type { Bytes } from './bytes.ts'
import type { Asset } from './chunks.ts'
import { ProtocolError } from './errors.ts'
import { contentIdOf } from './hash.ts'
import type { ContentId } from './ids.ts'
import { partLimitBytes, partsParsed } from './limits.ts'
import type { BinRow, Head, IndexRow } from './manifest.ts'
import { assetOfRow, parseBin, parseIndexPage } from './manifest.ts'
import { rowPath, sectionOf } from './paths.ts'

/** Gives the bytes of a part, from anywhere: they are checked against the id here. */
export type ReadPart = (id: ContentId) => Promise<Bytes>

/** What a head that was believed lists. */
export class Catalogue {
  readonly head: Head
  readonly #prefixes: readonly string[]
  /** Checked and parsed, the longest unused first: a page asks for many assets of one bin at once. */
  readonly #bins = new Map<ContentId, Promise<readonly BinRow[]>>()
  readonly #pages = new Map<ContentId, Promise<readonly IndexRow[]>>()

  /** @param prefixes paths of which the signers of the head may speak */
  constructor(head: Head, prefixes: readonly string[]) {
    this.head = head
    this.#prefixes = prefixes
  }

  /**
   * The asset at a canonical path, or undefined where the catalogue proves that there is none.
   * Throws a ProtocolError where a part is not what its name says.
   */
  async find(path: string, read: ReadPart): Promise<Asset | undefined> {
    const { head } = this
    const wanted = rowPath(path)
    if (!this.#counts(wanted)) return undefined
    let rows = head.index
    for (let depth = head.indexDepth; ; depth -= 1) {
      const row = lastAtOrBefore(rows, wanted)
      if (row === undefined) return undefined
      if (depth === 0) return findInBin(await remembered(this.#bins, row.id, read, parseBin), wanted, head)
      rows = await remembered(this.#pages, row.id, read, parseIndexPage)
    }
  }

  /** Every asset in path order, for tools that check a whole site. */
  async *assets(read: ReadPart): AsyncGenerator<Asset> {
    const { head } = this
    for await (const asset of walk(head.index, head.indexDepth, head, read)) if (this.#counts(asset.path)) yield asset
  }

  /** A stolen key of a server that publishes by itself must not reach the rest of the site. */
  #counts(path: string): boolean {
    return this.#prefixes.some((prefix) => path.startsWith(prefix))
  }
}

async function* walk(rows: readonly IndexRow[], depth: number, head: Head, read: ReadPart): AsyncGenerator<Asset> {
  for (const row of rows) {
    const part = await readChecked(row.id, read)
    if (depth > 0) yield* walk(parseIndexPage(part), depth - 1, head, read)
    else for (const bin of parseBin(part)) yield assetOfRow(bin, head, sectionOf(bin[0], head.sections))
  }
}

function remembered<Row>(
  known: Map<ContentId, Promise<readonly Row[]>>,
  id: ContentId,
  read: ReadPart,
  parse: (part: Bytes) => readonly Row[],
): Promise<readonly Row[]> {
  const rows = known.get(id) ?? readChecked(id, read).then(parse)
  known.delete(id)
  known.set(id, rows)
  const [oldest] = known.keys()
  if (known.size > partsParsed && oldest !== undefined) known.delete(oldest)
  // Told to who asked; another one may find it elsewhere.
  rows.catch(() => known.get(id) === rows && known.delete(id))
  return rows
}

async function readChecked(id: ContentId, read: ReadPart): Promise<Bytes> {
  const part = await read(id)
  if (part.length > partLimitBytes) throw new ProtocolError('oversized', 'Cannot read part: over its limit')
  if ((await contentIdOf(part)) !== id) throw new ProtocolError('untrusted', 'Cannot read part: not what its name says')
  return part
}

function findInBin(rows: readonly BinRow[], path: string, head: Head): Asset | undefined {
  const row = rows.find((candidate) => candidate[0] === path)
  return row && assetOfRow(row, head, sectionOf(row[0], head.sections))
}

function lastAtOrBefore(rows: readonly IndexRow[], path: string): IndexRow | undefined {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const row = rows[middle]
    if (row !== undefined && row.first <= path) low = middle + 1
    else high = middle
  }
  return low > 0 ? rows[low - 1] : undefined
}
