import * as v from 'valibot'
import type { AssetSizes } from './chunks.ts'
import { hasPages, pageOfChunk } from './chunks.ts'
import type { ContentId } from './ids.ts'
import { contentIdSchema } from './ids.ts'
import { parseValue } from './json.ts'
import {
  assetLimitBytes,
  longAssetBytes,
  longSpanBytes,
  maxChunkBytes,
  minChunkBytes,
  pathLimit,
  spanBytes,
  spanLimit,
  wholeAssetBytes,
} from './limits.ts'
import { list, message, text, whole } from './schemas.ts'

/*
 * How the device's store lies on disk. The service worker writes it, the dedicated worker of a page reads it to
 * seed; the two may come from different deploys, so the layout is an agreement.
 *
 * The bytes lie in the Cache API: one entry per span, or one for a whole asset up to 8 MiB. A span is a run of whole
 * chunks. The chunk list of an asset lies beside it, and of a list with pages those that its spans need. What is held stands in IndexedDB.
 */
export const storeDatabaseVersion = 1
/** Key: content id. Value: StoredAsset. */
export const assetObjectStore = 'assets'
/** Key: a word. Value: what the worker keeps between lives. */
export const stateObjectStore = 'state'

/** What a site's things are called on a device. Sites in other folders of the same host have their own. */
export interface DeviceNames {
  readonly database: string
  /** Caches. */
  readonly store: string
  readonly parts: string
  /** It is there as long as the visitor wants nothing of us. */
  readonly off: string
  /** A BroadcastChannel that carries StoreMessage. */
  readonly storeChannel: string
}

/** @param base the site's folder on its host */
export function deviceNames(base: string): DeviceNames {
  return {
    database: `nearhand ${base}`,
    store: `nearhand-store-1 ${base}`,
    parts: `nearhand-parts-1 ${base}`,
    off: `nearhand-off ${base}`,
    storeChannel: `nearhand-store ${base}`,
  }
}

/** What a device holds of one asset. */
export interface StoredAsset {
  readonly id: ContentId
  /** Where the visitor met it. */
  readonly path: string
  readonly section: string
  readonly size: number
  readonly chunkSize: number
  /** Ascending numbers of the spans held. */
  readonly spans: readonly number[]
  /** Milliseconds since 1970. */
  readonly usedAt: number
  /** How often it was used, counted once a minute. Left out: once. */
  readonly uses?: number | undefined
  /** How many neighbours held it, when they were last asked. Left out: none. */
  readonly holders?: number | undefined
}

/** Told by the service worker to whoever seeds. */
export type StoreMessage =
  | { readonly type: 'stored'; readonly asset: StoredAsset }
  | { readonly type: 'dropped'; readonly id: ContentId }

export function spanSize(size: number): number {
  if (size <= wholeAssetBytes) return wholeAssetBytes
  return size <= longAssetBytes ? spanBytes : longSpanBytes
}

/** How many spans an asset has; the empty asset has one. */
export function spanCount(size: number): number {
  return Math.max(1, Math.ceil(size / spanSize(size)))
}

export function spanLength(size: number, span: number): number {
  return Math.min(spanSize(size), size - span * spanSize(size))
}

/** The span that a chunk lies in. */
export function spanOfChunk(asset: AssetSizes, index: number): number {
  return Math.floor((index * asset.chunkSize) / spanSize(asset.size))
}

/** The page of the list that names the chunks of a span: spans never reach from one into another. */
export function pageOfSpan(asset: AssetSizes, span: number): number {
  return pageOfChunk((span * spanSize(asset.size)) / asset.chunkSize)
}

/** The pages of its list that an asset's spans need. */
export function pagesOf(asset: StoredAsset): ReadonlySet<number> {
  return new Set(hasPages(asset) ? asset.spans.map((span) => pageOfSpan(asset, span)) : [])
}

/** Cache keys. The host is never asked: the Cache API wants URLs. */
export function spanKey(id: ContentId, span: number): string {
  return `https://store.nearhand.invalid/${id}/${span}`
}

export function listKey(id: ContentId): string {
  return `https://store.nearhand.invalid/${id}/list`
}

/** A bin or index page, in the cache of the parts. */
export function partKey(id: string): string {
  return `https://parts.nearhand.invalid/${id}`
}

/** A page of the list, where it has pages. */
export function pageKey(id: ContentId, page: number): string {
  return `https://store.nearhand.invalid/${id}/list/${page}`
}

const storedAssetSchema = v.strictObject({
  id: contentIdSchema,
  path: text(pathLimit),
  section: text(pathLimit),
  size: whole(0, assetLimitBytes),
  chunkSize: whole(minChunkBytes, maxChunkBytes),
  spans: list(whole(), spanLimit),
  usedAt: v.number(),
  uses: v.optional(whole(1)),
  holders: v.optional(whole()),
})

const storeMessageSchema = message([
  v.strictObject({ type: v.literal('stored'), asset: storedAssetSchema }),
  v.strictObject({ type: v.literal('dropped'), id: contentIdSchema }),
])

/** Rows come from a database that any script of the site can write. */
export function parseStoredAsset(value: unknown): StoredAsset {
  return parseValue(storedAssetSchema, value, 'stored asset')
}

export function parseStoreMessage(value: unknown): StoreMessage {
  return parseValue(storeMessageSchema, value, 'store message')
}
