import type { Bytes } from '../../protocol/bytes.ts'
import type { Asset } from '../../protocol/chunks.ts'
import { chunkCount, chunkLength, chunkSizeFor, encodeChunkList, hasList } from '../../protocol/chunks.ts'
import { contentIdOf, sha256 } from '../../protocol/hash.ts'
import type { VerifiedBytes } from '../../sw/verify.ts'
import { verify } from '../../sw/verify.ts'

/** An asset as the manifest would name it, with its content. */
export interface MadeAsset {
  readonly asset: Asset
  readonly content: Bytes
  /** Empty where the asset is one chunk. */
  readonly list: Bytes
}

export async function makeAsset(path: string, content: Bytes, chunkSize?: number): Promise<MadeAsset> {
  const sizes = { size: content.length, chunkSize: chunkSize ?? chunkSizeFor(content.length) }
  const digests: Uint8Array[] = []
  for (let index = 0; index < chunkCount(sizes.size, sizes.chunkSize); index += 1) {
    digests.push(await sha256(chunkBytes(content, sizes.chunkSize, index)))
  }
  const list = hasList(sizes) ? encodeChunkList({ ...sizes, digests }) : new Uint8Array(0)
  const id = await contentIdOf(hasList(sizes) ? list : content)
  const headers = [['content-type', 'application/octet-stream'] as const]
  return { asset: { path, section: '/', id, ...sizes, headers }, content, list }
}

export function chunkBytes(content: Bytes, chunkSize: number, index: number): Bytes {
  return content.slice(index * chunkSize, index * chunkSize + chunkLength(content.length, chunkSize, index))
}

/** A chunk that went through the only door there is. */
export async function verifiedChunk({ asset, content }: MadeAsset, index: number): Promise<VerifiedBytes> {
  const bytes = chunkBytes(content, asset.chunkSize, index)
  const digest = await sha256(bytes)
  const verified = await verify(bytes, { index, offset: 0, length: bytes.length, digest })
  if (verified === undefined) throw new Error('Cannot test: the chunk is not itself')
  return verified
}
