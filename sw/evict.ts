import { hasList, listLength, pageLength } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { popularityHalfLifeMs, recentlyUsedMs } from '../protocol/limits.ts'
import type { StoredAsset } from '../protocol/store-layout.ts'
import { pagesOf, spanLength } from '../protocol/store-layout.ts'

/** Bytes that an asset takes in the store: its spans, and its chunk list. */
export function storedBytes(row: StoredAsset): number {
  let bytes = hasList(row) ? listLength(row.size, row.chunkSize) : 0
  for (const page of pagesOf(row)) bytes += pageLength(row, page)
  return row.spans.reduce((sum, span) => sum + spanLength(row.size, span), bytes)
}

/**
 * Which assets go so that `needed` more bytes fit below the limit: those of least worth first, never the one that is
 * being written, and of those that were just used none as long as there are others. Undefined where even all of them
 * would not make room.
 *
 * @param now milliseconds since 1970
 */
export function chooseVictims(
  rows: readonly StoredAsset[],
  needed: number,
  limit: number,
  writing: ContentId,
  now: number,
): readonly ContentId[] | undefined {
  let over = rows.reduce((sum, row) => sum + storedBytes(row), needed) - limit
  const victims: ContentId[] = []
  const worths = new Map(rows.map((row) => [row.id, worthOf(row, now)]))
  const worth = ({ id }: StoredAsset): number => worths.get(id) ?? 0
  for (const row of rows.filter(({ id }) => id !== writing).toSorted((one, other) => worth(one) - worth(other))) {
    if (over <= 0) return victims
    victims.push(row.id)
    over -= storedBytes(row)
  }
  return over <= 0 ? victims : undefined
}

/**
 * What a byte of it is worth to this device and its neighbours: how often it is used, how few others have it. What was
 * just used is likely to be read on.
 */
function worthOf(row: StoredAsset, now: number): number {
  const { uses = 1, holders = 0, usedAt } = row
  const ageMs = Math.max(0, now - usedAt)
  const worth = (uses * 2 ** (-ageMs / popularityHalfLifeMs)) / (1 + holders) / Math.max(1, storedBytes(row))
  return ageMs < recentlyUsedMs ? 1e6 + worth : worth
}

/**
 * Which spans of an asset that does not fit whole go for the one that comes: those farthest from it, so that what was
 * read last stays. Such an asset has half of the store, for it would push out everything else and still not be there.
 */
export function chooseOwnVictims(row: StoredAsset, coming: number, needed: number, limit: number): ReadonlySet<number> {
  const victims = new Set<number>()
  if (row.size <= limit) return victims
  let over = storedBytes(row) + needed - limit / 2
  for (const span of row.spans.toSorted((one, other) => Math.abs(other - coming) - Math.abs(one - coming))) {
    if (over <= 0) break
    victims.add(span)
    over -= spanLength(row.size, span)
  }
  return victims
}
