import type { Bytes } from '../protocol/bytes.ts'
import { isSameBytes } from '../protocol/bytes.ts'
import { sha256 } from '../protocol/hash.ts'

declare const brand: unique symbol

/** Bytes that the signed manifest vouches for. Nothing else reaches a Response or the store. */
export type VerifiedBytes = Bytes & { readonly [brand]: 'VerifiedBytes' }

/** What is known of a chunk before it is there. */
export interface Chunk {
  readonly index: number
  /** Its place in the asset. */
  readonly offset: number
  readonly length: number
  /** SHA-256, 32 bytes; a promise while the list that says so is on its way. */
  readonly digest: Uint8Array | Promise<Uint8Array>
}

/**
 * The one place where bytes become trusted; undefined where they are not the chunk's. The buffer must be ours
 * alone: who could still write to it could swap the bytes after the check.
 */
export async function verify(bytes: Bytes, chunk: Chunk): Promise<VerifiedBytes | undefined> {
  if (bytes.length !== chunk.length) return undefined
  return isSameBytes(await sha256(bytes), await chunk.digest) ? (bytes as VerifiedBytes) : undefined
}
