import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOfHex, concatBytes, hexOf } from '../../protocol/bytes.ts'
import {
  chunkCount,
  chunkLength,
  chunkSizeFor,
  encodeChunkList,
  encodePages,
  hasList,
  hasPages,
  listLength,
  pageCount,
  pageLength,
  parseChunkList,
  parsePage,
} from '../../protocol/chunks.ts'
import { contentIdOf, sha256 } from '../../protocol/hash.ts'
import { assetLimitBytes, chunkLimit, maxChunkBytes, minChunkBytes, partLimitBytes } from '../../protocol/limits.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

interface Vector {
  readonly size: number
  readonly chunkSize: number
  readonly digests: readonly string[]
  readonly hex: string
  readonly id: string
  readonly paged: { readonly size: number; readonly chunkSize: number; pages: string[]; hex: string; id: string }
}
const vector = readVector<Vector>('chunk-list')
const bytes = bytesOfHex(vector.hex)

describe('chunk list', () => {
  test('parseChunkList() reads the vector, encodeChunkList() writes it, its hash is the content id', async () => {
    const list = parseChunkList(bytes, vector)
    expect({ ...list, digests: list.digests.map(hexOf) }).toEqual({
      size: vector.size,
      chunkSize: vector.chunkSize,
      digests: vector.digests,
    })
    expect(hexOf(encodeChunkList(list))).toBe(vector.hex)
    expect(await contentIdOf(bytes)).toBe(vector.id)
    expect(listLength(vector.size, vector.chunkSize)).toBe(bytes.length)
  })

  test('parseChunkList() refuses every truncation and every addition', () => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusalOf(() => parseChunkList(bytes.subarray(0, length), vector))).toBe('malformed')
    }
    expect(refusalOf(() => parseChunkList(concatBytes([bytes, new Uint8Array(1)]), vector))).toBe('malformed')
  })

  test('parseChunkList() refuses a changed header and sizes that are not those of the row', () => {
    for (let at = 0; at < 16; at += 1) {
      const changed = bytes.slice()
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(refusalOf(() => parseChunkList(changed, vector))).toBe('malformed')
    }
    expect(refusalOf(() => parseChunkList(bytes, { ...vector, size: 100_001 }))).toBe('malformed')
  })

  test('parseChunkList() refuses more than a part before it reads it', () => {
    expect(refusalOf(() => parseChunkList(new Uint8Array(partLimitBytes + 1), vector))).toBe('oversized')
  })

  test('parseChunkList() throws nothing but a ProtocolError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
        refusalOf(() => parseChunkList(concatBytes([bytes.subarray(0, 4), tail]), vector))
      }),
    )
  })
})

describe('a chunk list with pages', () => {
  const { paged } = vector
  const top = bytesOfHex(paged.hex)

  test('encodePages() and encodeChunkList() write the vector, parsePage() reads every digest back', async () => {
    const digests = await Promise.all(
      Array.from({ length: chunkCount(paged.size, paged.chunkSize) }, (_, index) =>
        sha256(Uint8Array.of(index >>> 24, index >>> 16, index >>> 8, index)),
      ),
    )
    const pages = encodePages(digests)
    const hashes = await Promise.all(pages.map(sha256))
    expect(hashes.map(hexOf)).toEqual(paged.pages)
    expect(hexOf(encodeChunkList({ ...paged, digests: hashes }))).toBe(paged.hex)
    expect(await contentIdOf(top)).toBe(paged.id)
    expect(parseChunkList(top, paged).digests.map(hexOf)).toEqual(paged.pages)
    expect([listLength(paged.size, paged.chunkSize), pageCount(paged)]).toEqual([top.length, pages.length])
    expect(pages.flatMap((page, at) => parsePage(page, paged, at))).toEqual(digests)
  })

  test('parsePage() refuses a page of another length, parseChunkList() a list of the other form', () => {
    const page = new Uint8Array(pageLength(paged, 1))
    for (const other of [page.subarray(1), concatBytes([page, new Uint8Array(32)]), new Uint8Array()]) {
      expect(refusalOf(() => parsePage(other, paged, 1))).toBe('malformed')
    }
    const flat = top.slice()
    flat[3] = 0x31
    expect(refusalOf(() => parseChunkList(flat, paged))).toBe('malformed')
    expect(refusalOf(() => parseChunkList(top, { ...paged, size: paged.size - 1 }))).toBe('malformed')
  })

  test('hasPages() begins where one part ends, and the largest asset still fits', () => {
    expect(hasPages({ ...paged, size: paged.size - 1 })).toBe(false)
    expect(hasPages(paged)).toBe(true)
    const largest = { size: assetLimitBytes, chunkSize: chunkSizeFor(assetLimitBytes) }
    expect([pageCount(largest), pageLength(largest, 255)]).toEqual([256, 32_768])
    const film = 40 * 1024 ** 3
    expect(listLength(film, chunkSizeFor(film)), 'before its first chunk, and one page').toBe(16 + 160 * 32)
  })
})

describe('chunkSizeFor', () => {
  const MIB = 1024 * 1024
  test.each([
    [0, 64],
    [8 * MIB, 64],
    [8 * MIB + 1, 128],
    [255 * MIB, 128],
    [256 * MIB + 1, 256],
  ])('cuts %d bytes into chunks of %d KiB', (size, kib) => {
    expect(chunkSizeFor(size)).toBe(kib * 1024)
  })

  test('leaves every listed asset a chunk list that fits one part', () => {
    const isFitting = (size: number) =>
      listLength(size, chunkSizeFor(size)) <= partLimitBytes && chunkCount(size, chunkSizeFor(size)) <= chunkLimit
    for (const size of [0, 1, 8 * MIB, 8 * MIB + 1, 256 * MIB - 131_072, 256 * MIB, 256 * MIB + 1, assetLimitBytes]) {
      expect([size, isFitting(size)]).toEqual([size, true])
    }
    fc.assert(fc.property(fc.integer({ min: 0, max: assetLimitBytes }), isFitting))
  })
})

describe('the chunks of an asset', () => {
  test('cover it exactly, and only the last is shorter', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5_000_000 }),
        fc.constantFrom(minChunkBytes, maxChunkBytes),
        (size, chunk) => {
          const lengths = Array.from({ length: chunkCount(size, chunk) }, (_, index) => chunkLength(size, chunk, index))
          expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(size)
          expect(lengths.slice(0, -1).every((length) => length === chunk)).toBe(true)
          expect(lengths.at(-1)).toBeGreaterThan(0)
        },
      ),
    )
  })

  test('are none for the empty asset, and one without a list up to the chunk size', () => {
    expect(chunkCount(0, 65_536)).toBe(0)
    expect(hasList({ size: 0, chunkSize: 65_536 })).toBe(false)
    expect(chunkCount(65_536, 65_536)).toBe(1)
    expect(hasList({ size: 65_536, chunkSize: 65_536 })).toBe(false)
    expect(chunkCount(65_537, 65_536)).toBe(2)
    expect(hasList({ size: 65_537, chunkSize: 65_536 })).toBe(true)
  })
})
