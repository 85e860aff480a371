import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chunkCount, chunkSizeFor, hasPages, pageOfChunk } from '../../protocol/chunks.ts'
import { assetLimitBytes, spanLimit } from '../../protocol/limits.ts'
import {
  assetObjectStore,
  deviceNames,
  listKey,
  pageKey,
  pageOfSpan,
  parseStoredAsset,
  parseStoreMessage,
  spanCount,
  spanKey,
  spanLength,
  spanOfChunk,
  spanSize,
  stateObjectStore,
  storeDatabaseVersion,
} from '../../protocol/store-layout.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{
  names: { base: string; named: Record<string, string> }[]
  databaseVersion: number
  assets: string
  state: string
  spanKey: string
  listKey: string
  pageKey: string
  spans: { size: number; count: number; last: number }[]
  spanOfChunk: { size: number; chunkSize: number; index: number; span: number }[]
  stored: { id: string }
  messages: unknown[]
  refused: unknown[]
}>('store')

describe('store layout', () => {
  test('has the names of the vector', () => {
    const { id } = parseStoredAsset(vector.stored)
    expect(vector.names.map(({ base }) => deviceNames(base))).toEqual(vector.names.map(({ named }) => named))
    expect([assetObjectStore, stateObjectStore, storeDatabaseVersion]).toEqual([
      vector.assets,
      vector.state,
      vector.databaseVersion,
    ])
    expect([spanKey(id, 3), listKey(id), pageKey(id, 3)]).toEqual([vector.spanKey, vector.listKey, vector.pageKey])
  })

  test.each(vector.spans)('cuts $size bytes into $count spans', ({ size, count, last }) => {
    expect(spanCount(size)).toBe(count)
    expect(spanLength(size, count - 1)).toBe(last)
  })

  test.each(vector.spanOfChunk)('puts chunk $index of $size bytes into span $span', (row) => {
    expect(spanOfChunk(row, row.index)).toBe(row.span)
  })

  test('has no chunk across two spans, and spans that cover the asset', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: assetLimitBytes }), fc.nat(), (size, at) => {
        const asset = { size, chunkSize: chunkSizeFor(size) }
        const index = at % chunkCount(size, asset.chunkSize)
        const last = Math.min(size, (index + 1) * asset.chunkSize) - 1
        expect(Math.floor(last / spanSize(size))).toBe(spanOfChunk(asset, index))
        if (hasPages(asset)) expect(pageOfSpan(asset, spanOfChunk(asset, index))).toBe(pageOfChunk(index))
        const spans = spanCount(size)
        expect((spans - 1) * spanSize(size) + spanLength(size, spans - 1)).toBe(size)
      }),
    )
  })
})

describe('parseStoredAsset', () => {
  test('reads the row of the vector', () => {
    expect(parseStoredAsset(vector.stored)).toEqual(vector.stored)
  })

  test.each(vector.refused.map((value) => ({ value })))('refuses $value', ({ value }) => {
    expect(refusalOf(() => parseStoredAsset(value))).toBe('malformed')
  })

  test('refuses more spans than an asset can have, and throws nothing but a ProtocolError', () => {
    const spans = Array.from({ length: spanLimit + 1 }, () => 0)
    expect(refusalOf(() => parseStoredAsset({ ...vector.stored, spans }))).toBe('malformed')
    fc.assert(fc.property(fc.anything(), (value) => void refusalOf(() => parseStoredAsset(value))))
  })
})

test.each(vector.messages.map((message) => ({ message })))('parseStoreMessage() reads $message', ({ message }) => {
  expect(parseStoreMessage(message)).toEqual(message)
})

test('parseStoreMessage() throws nothing but a ProtocolError', () => {
  fc.assert(fc.property(fc.anything(), (value) => void refusalOf(() => parseStoreMessage(value))))
})
