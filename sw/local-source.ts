import { listIndex, pageIndex } from '../protocol/bridge.ts'
import type { Asset } from '../protocol/chunks.ts'
import type { StoredAsset } from '../protocol/store-layout.ts'
import { spanOfChunk, spanSize } from '../protocol/store-layout.ts'
import type { ChunkSource, Delivery } from './sources.ts'
import type { Store } from './store.ts'
import type { Chunk } from './verify.ts'

/** The device's own store, as a source for one response. */
export interface LocalSource extends ChunkSource {
  holds(index: number): boolean
}

/** Looks the asset up once. Reads of several chunks of a span share one opened file. */
export async function openLocalSource(asset: Asset, store: Store): Promise<LocalSource> {
  const row = await store.find(asset.id)
  // Another size or chunk size under this id is no row of ours: a script of the page wrote it.
  const held = row && row.size === asset.size && row.chunkSize === asset.chunkSize ? row : undefined
  if (held) store.touch(asset.id)
  const spans = new Set(held?.spans)
  const opened = new Map<number, Promise<Blob | undefined>>()

  const openSpan = (stored: StoredAsset, span: number): Promise<Blob | undefined> => {
    const blob = opened.get(span) ?? store.openSpan(stored, span)
    opened.set(span, blob)
    return blob
  }

  return {
    name: 'store',
    holds: (index) => spans.has(spanOfChunk(asset, index)),
    async read(chunk: Chunk): Promise<Delivery | undefined> {
      if (held === undefined) return undefined
      if (chunk.index < 0) {
        const page = pageIndex(0) - chunk.index
        const list = await store.openList(asset.id, chunk.index === listIndex ? undefined : page)
        return list && { bytes: await bytesOf(list), refuse: () => store.drop(asset.id) }
      }
      const span = spanOfChunk(asset, chunk.index)
      const blob = spans.has(span) ? await openSpan(held, span) : undefined
      if (blob === undefined) {
        spans.delete(span)
        return undefined
      }
      const start = chunk.offset - span * spanSize(asset.size)
      const refuse = (): void => {
        spans.delete(span)
        store.dropSpan(asset.id, span)
      }
      return { bytes: await bytesOf(blob.slice(start, start + chunk.length)), refuse }
    },
  }
}

async function bytesOf(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await blob.arrayBuffer())
}
