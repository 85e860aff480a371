import { createHash } from 'node:crypto'
import type { Bytes } from '../../../protocol/bytes.ts'
import { hexOf } from '../../../protocol/bytes.ts'
import { chunkCount, chunkSizeFor, encodeChunkList } from '../../../protocol/chunks.ts'
import type { ContentId } from '../../../protocol/ids.ts'
import { parseContentId } from '../../../protocol/ids.ts'
import { listIndexOnWire } from '../../../protocol/peer-wire.ts'
import { spanCount } from '../../../protocol/store-layout.ts'

/** An asset as a peer holds it: chunks and list by the numbers that stand on the wire. */
export interface HeldAsset {
  readonly path: string
  readonly id: ContentId
  /** Undefined past the end. */
  chunk(index: number): Bytes | undefined
}

/** Cuts files into chunks as a publisher does, without asking the publisher. */
export function holdAssets(assets: ReadonlyMap<string, Uint8Array>): ReadonlyMap<ContentId, HeldAsset> {
  const held = new Map<ContentId, HeldAsset>()
  for (const [path, content] of assets) {
    const asset = holdAsset(path, new Uint8Array(content))
    held.set(asset.id, asset)
  }
  return held
}

/** How a store keeps such content when it holds all of it. */
export function storageOf(content: Uint8Array): { readonly id: ContentId; readonly spans: number } {
  return { id: holdAsset('/', new Uint8Array(content)).id, spans: spanCount(content.length) }
}

function holdAsset(path: string, content: Bytes): HeldAsset {
  const size = content.length
  const chunkSize = chunkSizeFor(size)
  const chunks = Array.from({ length: chunkCount(size, chunkSize) }, (_, index) =>
    content.slice(index * chunkSize, (index + 1) * chunkSize),
  )
  if (chunks.length <= 1) return { path, id: idOf(content), chunk: (index) => chunks[index] }
  const list = encodeChunkList({ size, chunkSize, digests: chunks.map(digestOf) })
  return { path, id: idOf(list), chunk: (index) => (index === listIndexOnWire ? list : chunks[index]) }
}

function digestOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest()
}

function idOf(bytes: Uint8Array): ContentId {
  const id = parseContentId(hexOf(digestOf(bytes)))
  if (id === undefined) throw new TypeError('Cannot name content: SHA-256 gave no id')
  return id
}
