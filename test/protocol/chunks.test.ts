import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOfHex, concatBytes, hexOf } from '../../protocol/bytes.ts'
import {
  chunkCount,
  chunkLength,
  chunkSizeFor,
  encodeChunkList,
  hasList,
  listLength,
  parseChunkList,
} from '../../protocol/chunks.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import { assetLimitBytes, chunksPerMap, maxChunkBytes, minChunkBytes, partLimitBytes } from '../../protocol/limits.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{ size: number; chunkSize: number; digests: string[]; hex: string; id: string }>('chunk-list')
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

  test('leaves every listed asset a chunk list that fits one part and one map', () => {
    const isFitting = (size: number) =>
      listLength(size, chunkSizeFor(size)) <= partLimitBytes && chunkCount(size, chunkSizeFor(size)) <= chunksPerMap
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
