import type { Bytes } from './bytes.ts'
import { hexOf } from './bytes.ts'
import type { ContentId } from './ids.ts'

/** SHA-256 (FIPS 180-4) by WebCrypto: 32 bytes. */
export async function sha256(bytes: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

export async function contentIdOf(bytes: Bytes): Promise<ContentId> {
  return contentIdOfDigest(await sha256(bytes))
}

export function contentIdOfDigest(digest: Uint8Array): ContentId {
  if (digest.length !== 32) throw new RangeError(`Cannot make a content id: ${digest.length} bytes instead of 32`)
  return hexOf(digest) as ContentId
}
