import type { Bytes } from './bytes.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import type { ContentId } from './ids.ts'
import { partLimitBytes } from './limits.ts'

const MIB = 1024 * 1024
const magic = 0x4e484c31 // "NHL1"
const headerBytes = 16
const digestBytes = 32
const listDigests = Math.floor((partLimitBytes - headerBytes) / digestBytes)

/** What the manifest says of one asset. */
export interface Asset {
  readonly path: string
  /** The longest section prefix that the path begins with: what is told to whom. */
  readonly section: string
  readonly id: ContentId
  /** Bytes of the identity body. */
  readonly size: number
  /** Bytes of every chunk but the last. */
  readonly chunkSize: number
  /** Response headers, lower-case names, from the signed table; content-type among them. */
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** The digests of an asset of more than one chunk. */
export interface ChunkList {
  readonly size: number
  readonly chunkSize: number
  /** SHA-256 of each chunk, 32 bytes each. */
  readonly digests: readonly Uint8Array[]
}

export function chunkSizeFor(size: number): number {
  if (size <= 8 * MIB) return 64 * 1024
  // Just under 256 MiB: one chunk more, and the list would not fit a part.
  return size <= listDigests * 128 * 1024 ? 128 * 1024 : 256 * 1024
}

/** The empty asset has no chunk. */
export function chunkCount(size: number, chunkSize: number): number {
  return Math.ceil(size / chunkSize)
}

export function chunkLength(size: number, chunkSize: number, index: number): number {
  return Math.min(chunkSize, size - index * chunkSize)
}

/** Whether the content id names a chunk list instead of the content. */
export function hasList(asset: { size: number; chunkSize: number }): boolean {
  return asset.size > asset.chunkSize
}

export function listLength(size: number, chunkSize: number): number {
  return headerBytes + chunkCount(size, chunkSize) * digestBytes
}

/** `NHL1`, chunk size (u32), size (u64), then the raw digests in order. */
export function encodeChunkList(list: ChunkList): Bytes {
  const writer = new ByteWriter(headerBytes + list.digests.length * digestBytes)
  writer.u32(magic).u32(list.chunkSize).u64(list.size)
  for (const digest of list.digests) writer.put(digest)
  return writer.bytes
}

/** Reads a list that was already checked against its hash; size and chunk size must be those of the signed row. */
export function parseChunkList(bytes: Uint8Array, row: { size: number; chunkSize: number }): ChunkList {
  if (bytes.length > partLimitBytes) throw new ProtocolError('oversized', 'Cannot read chunk list: over its limit')
  const reader = new ByteReader(bytes)
  if (reader.u32() !== magic) throw new ProtocolError('malformed', 'Cannot read chunk list: no NHL1 header')
  const chunkSize = reader.u32()
  const size = reader.u64()
  if (chunkSize !== row.chunkSize || size !== row.size) {
    throw new ProtocolError('malformed', 'Cannot read chunk list: its sizes are not those of the manifest')
  }
  const digests: Uint8Array[] = []
  for (let left = chunkCount(size, chunkSize); left > 0; left -= 1) digests.push(reader.take(digestBytes))
  reader.end()
  return { size, chunkSize, digests }
}
