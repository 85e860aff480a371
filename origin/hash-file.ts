import { hash } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Bytes } from '../protocol/bytes.ts'
import {
  chunkCount,
  chunkLength,
  chunkSizeFor,
  encodeChunkList,
  encodePages,
  hasList,
  hasPages,
} from '../protocol/chunks.ts'
import { contentIdOfDigest } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { identityOf } from './file-identity.ts'
import { Utf8Check } from './utf8-check.ts'

export interface HashedContent {
  readonly id: ContentId
  readonly size: number
  /** The encoded chunk list and its pages, where the content is more than one chunk; the list, which names them, last. */
  readonly lists: readonly HashedList[]
  /** Whether it is text that can be told to be UTF-8. */
  readonly isUtf8: boolean
}

export interface HashedList {
  readonly id: ContentId
  readonly bytes: Bytes
}

export interface HashedFile extends HashedContent {
  /** Of the file whose bytes these are. */
  readonly identity: string
}

const tries = 3

/**
 * Hashes a file chunk by chunk, so that memory does not grow with it. Synchronous: it is the work of a worker thread.
 * Throws where the file cannot be read, is over `limitBytes`, or changes each time while it is read.
 *
 * @param buffer `maxChunkBytes` for the chunks, the same for every file: a new one each would be a GB of garbage soon
 */
export function hashFile(file: string, limitBytes: number, buffer: Uint8Array): HashedFile {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const descriptor = openSync(file, 'r')
    try {
      const before = fstatSync(descriptor, { bigint: true })
      const size = Number(before.size)
      if (size > limitBytes) throw new RangeError(`Cannot hash file: over ${limitBytes} bytes`)
      const content = hashContent(size, (offset, length) => {
        const chunk = buffer.subarray(0, length)
        return readFully(descriptor, chunk, offset) ? chunk : undefined
      })
      const identity = identityOf(fstatSync(descriptor, { bigint: true }))
      if (content && identity === identityOf(before)) return { ...content, identity }
    } finally {
      closeSync(descriptor)
    }
  }
  throw new Error('Cannot hash file: it changes while it is read')
}

export function hashBytes(bytes: Uint8Array): HashedContent {
  const content = hashContent(bytes.length, (offset, length) => bytes.subarray(offset, offset + length))
  if (content === undefined) throw new Error('Cannot hash bytes: they end early')
  return content
}

/** Undefined where `read` ends early. */
function hashContent(
  size: number,
  read: (offset: number, length: number) => Uint8Array | undefined,
): HashedContent | undefined {
  const chunkSize = chunkSizeFor(size)
  const digests: Uint8Array[] = []
  const check = new Utf8Check()
  for (let index = 0; index < chunkCount(size, chunkSize); index += 1) {
    const chunk = read(index * chunkSize, chunkLength(size, chunkSize, index))
    if (chunk === undefined) return undefined
    check.take(chunk)
    digests.push(hash('sha256', chunk, 'buffer'))
  }
  if (!hasList({ size, chunkSize })) {
    return {
      id: contentIdOfDigest(digests[0] ?? hash('sha256', '', 'buffer')),
      size,
      lists: [],
      isUtf8: check.isUtf8,
    }
  }
  const pages = hasPages({ size, chunkSize }) ? encodePages(digests) : []
  const named = pages.length > 0 ? pages.map((page) => hash('sha256', page, 'buffer')) : digests
  const list = encodeChunkList({ size, chunkSize, digests: named })
  const lists = [...pages, list].map((bytes): HashedList => ({ id: idOf(bytes), bytes }))
  return { id: idOf(list), size, lists, isUtf8: check.isUtf8 }
}

function idOf(bytes: Uint8Array): ContentId {
  return contentIdOfDigest(hash('sha256', bytes, 'buffer'))
}

function readFully(descriptor: number, into: Uint8Array, offset: number): boolean {
  let done = 0
  while (done < into.length) {
    const count = readSync(descriptor, into, done, into.length - done, offset + done)
    if (count === 0) return false
    done += count
  }
  return true
}
