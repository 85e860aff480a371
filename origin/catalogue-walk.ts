import type { Bytes } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { ContentId } from '../protocol/ids.ts'
import type { BinRow, IndexRow } from '../protocol/manifest.ts'
import { parseBin, parseIndexPage } from '../protocol/manifest.ts'

export type CatalogueItem =
  | { readonly type: 'part'; readonly id: ContentId }
  | { readonly type: 'row'; readonly row: BinRow }
  /** A part that cannot be read or is not what it should be. What stands below it stays unknown. */
  | { readonly type: 'broken'; readonly id: ContentId; readonly error: unknown }

/**
 * Every part and every row of a catalogue in path order; a broken part does not end the walk.
 *
 * @param isKnown parts that are not read: what they name is known
 */
export async function* walkCatalogue(
  index: readonly IndexRow[],
  indexDepth: number,
  read: (id: ContentId) => Promise<Bytes>,
  isKnown: (id: ContentId) => boolean = () => false,
): AsyncGenerator<CatalogueItem> {
  for (const { first, id } of index) {
    if (isKnown(id)) continue
    yield { type: 'part', id }
    let rows: readonly BinRow[] = []
    let below: readonly IndexRow[] = []
    try {
      const part = await read(id)
      if (indexDepth === 0) rows = parseBin(part)
      else below = parseIndexPage(part)
      if ((rows[0]?.[0] ?? below[0]?.first) !== first) {
        throw new ProtocolError('malformed', 'Cannot use part: it does not begin where its index says')
      }
    } catch (error) {
      // A few pages that name each other's names could be walked for ever; each has one place by its first path.
      ;[rows, below] = [[], []]
      yield { type: 'broken', id, error }
    }
    for (const row of rows) yield { type: 'row', row }
    yield* walkCatalogue(below, indexDepth - 1, read, isKnown)
  }
}
