import type { Bytes } from './bytes.ts'
import { ByteReader, ByteWriter, concatBytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import type { ContentId } from './ids.ts'
import { digestsPerPage, partLimitBytes } from './limits.ts'
import type { UrlRules } from './url-rules.ts'

const MIB = 1024 * 1024
const magic = 0x4e484c31 // "NHL1"
const pagedMagic = 0x4e484c32 // "NHL2"
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
  /** Only visitors whose pass names its section may have it from a store or from peers. Left out: everybody. */
  readonly isGuarded?: boolean
  /** Which URLs may name it besides its own, by the head that lists it. */
  readonly urls?: UrlRules
}

/** Sizes of an asset: they alone decide how its content is named. */
export interface AssetSizes {
  readonly size: number
  readonly chunkSize: number
}

/** The digests of an asset of more than one chunk. */
export interface ChunkList extends AssetSizes {
  /** SHA-256 of each chunk, or of each page where the list has pages, 32 bytes each. */
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
export function hasList(asset: AssetSizes): boolean {
  return asset.size > asset.chunkSize
}

/** Whether the list names pages of digests, as there are too many for one part. */
export function hasPages({ size, chunkSize }: AssetSizes): boolean {
  return chunkCount(size, chunkSize) > listDigests
}

/** How many pages the list has; 0 where it names the chunks itself. */
export function pageCount(asset: AssetSizes): number {
  return hasPages(asset) ? pageOfChunk(chunkCount(asset.size, asset.chunkSize) - 1) + 1 : 0
}

/** The page that a chunk's digest stands in. */
export function pageOfChunk(index: number): number {
  return Math.floor(index / digestsPerPage)
}

export function listLength(size: number, chunkSize: number): number {
  return headerBytes + (pageCount({ size, chunkSize }) || chunkCount(size, chunkSize)) * digestBytes
}

export function pageLength({ size, chunkSize }: AssetSizes, page: number): number {
  return Math.min(digestsPerPage, chunkCount(size, chunkSize) - page * digestsPerPage) * digestBytes
}

/** `NHL1`, or `NHL2` where the digests are those of pages, chunk size (u32), size (u64), then the raw digests in order. */
export function encodeChunkList(list: ChunkList): Bytes {
  const writer = new ByteWriter(headerBytes + list.digests.length * digestBytes)
  writer.u32(magicOf(list)).u32(list.chunkSize).u64(list.size)
  for (const digest of list.digests) writer.put(digest)
  return writer.bytes
}

/** The pages that the digests of all chunks fill, in order: nothing but raw digests. */
export function encodePages(digests: readonly Uint8Array[]): readonly Bytes[] {
  const pages: Bytes[] = []
  for (let at = 0; at < digests.length; at += digestsPerPage) {
    pages.push(concatBytes(digests.slice(at, at + digestsPerPage)))
  }
  return pages
}

/** Reads a list that was already checked against its hash; size and chunk size must be those of the signed row. */
export function parseChunkList(bytes: Uint8Array, row: AssetSizes): ChunkList {
  if (bytes.length > partLimitBytes) throw new ProtocolError('oversized', 'Cannot read chunk list: over its limit')
  const reader = new ByteReader(bytes)
  if (reader.u32() !== magicOf(row)) {
    throw new ProtocolError('malformed', 'Cannot read chunk list: not its header')
  }
  const chunkSize = reader.u32()
  const size = reader.u64()
  if (chunkSize !== row.chunkSize || size !== row.size) {
    throw new ProtocolError('malformed', 'Cannot read chunk list: not its sizes')
  }
  return { size, chunkSize, digests: takeDigests(reader, pageCount(row) || chunkCount(size, chunkSize)) }
}

/** The digests of one page that was already checked against its hash. */
export function parsePage(bytes: Uint8Array, asset: AssetSizes, page: number): readonly Uint8Array[] {
  return takeDigests(new ByteReader(bytes), pageLength(asset, page) / digestBytes)
}

function takeDigests(reader: ByteReader, count: number): readonly Uint8Array[] {
  const digests: Uint8Array[] = []
  for (let left = count; left > 0; left -= 1) digests.push(reader.take(digestBytes))
  reader.end()
  return digests
}

function magicOf(asset: AssetSizes): number {
  return hasPages(asset) ? pagedMagic : magic
}
