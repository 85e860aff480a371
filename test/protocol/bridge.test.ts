import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bridgeVersion,
  parseExchangeToWorker,
  parsePageToWorker,
  parseTotals,
  parseTraffic,
  parseWorkerToExchange,
  parseWorkerToPage,
} from '../../protocol/bridge.ts'
import { maxChunkBytes } from '../../protocol/limits.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

type Messages = Record<string, unknown>[]
const vector = readVector<{
  version: number
  pageToWorker: Messages
  workerToPage: Messages
  workerToExchange: Messages
  exchangeToWorker: Messages
  traffic: unknown
  totals: unknown
  refused: { pageToWorker: unknown[]; workerToExchange: unknown[]; exchangeToWorker: unknown[] }
}>('bridge')

describe('bridge messages', () => {
  test('are of the version of the vector', () => {
    expect(bridgeVersion).toBe(vector.version)
  })

  test('take a deadline that a clock gave, with parts of a millisecond', () => {
    const message = { type: 'hurry', request: 1, deadlineMs: 312.400_000_002 }
    expect(parseWorkerToExchange(message)).toEqual(message)
  })

  test.each([
    ['parsePageToWorker', parsePageToWorker, vector.pageToWorker],
    ['parseWorkerToPage', parseWorkerToPage, vector.workerToPage],
    ['parseWorkerToExchange', parseWorkerToExchange, vector.workerToExchange],
    ['parseExchangeToWorker', parseExchangeToWorker, vector.exchangeToWorker],
    ['parseTraffic', parseTraffic, [vector.traffic]],
    ['parseTotals', parseTotals, [vector.totals]],
  ])('%s() reads its own', (_, parse, messages) => {
    for (const message of messages) expect(parse(message)).toEqual(message)
  })

  test.each([
    ['parsePageToWorker', parsePageToWorker, vector.refused.pageToWorker],
    ['parseWorkerToExchange', parseWorkerToExchange, vector.refused.workerToExchange],
    ['parseExchangeToWorker', parseExchangeToWorker, vector.refused.exchangeToWorker],
  ])('%s() refuses what is not', (_, parse, messages) => {
    for (const message of messages) expect(refusalOf(() => parse(message))).toBe('malformed')
  })

  test('parseExchangeToWorker() takes a chunk of at most the largest size', () => {
    const peer = 'a'.repeat(32)
    const chunk = (bytes: ArrayBuffer) => ({ type: 'chunk', request: 1, peer, bytes })
    expect(refusalOf(() => parseExchangeToWorker(chunk(new ArrayBuffer(maxChunkBytes))))).toBe('accepted')
    expect(refusalOf(() => parseExchangeToWorker(chunk(new ArrayBuffer(maxChunkBytes + 1))))).toBe('malformed')
  })

  test.each([undefined, null, 1, 'nearhand:link', {}, { type: 1 }, { type: 'else:link' }, []])(
    'parsePageToWorker() and parseWorkerToPage() leave %j to the site',
    (message) => {
      expect(parsePageToWorker(message)).toBeUndefined()
      expect(parseWorkerToPage(message)).toBeUndefined()
    },
  )

  test('every parser throws nothing but a ProtocolError', () => {
    const parsers = [
      parsePageToWorker,
      parseWorkerToPage,
      parseWorkerToExchange,
      parseExchangeToWorker,
      parseTraffic,
      parseTotals,
    ]
    const type = fc.constantFrom('nearhand:link', 'find', 'read', 'chunk', 'miss')
    const value = fc.oneof(
      fc.anything(),
      fc.tuple(fc.object(), type).map(([rest, name]) => ({ ...rest, type: name })),
    )
    fc.assert(
      fc.property(fc.constantFrom(...parsers), value, (parse, given) => void refusalOf(() => parse(given))),
      { numRuns: 500 },
    )
  })
})
