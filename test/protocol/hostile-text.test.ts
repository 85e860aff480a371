import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../protocol/bytes.ts'
import { parseJoinResponse } from '../../protocol/join.ts'
import {
  freshLimitBytes,
  headLimitBytes,
  joinResponseBytes,
  partLimitBytes,
  rootLimitBytes,
  trackerMessageBytes,
} from '../../protocol/limits.ts'
import { parseBin, parseFresh, parseHead, parseIndexPage, parseRoot } from '../../protocol/manifest.ts'
import { openPinnedRoot } from '../../protocol/trusted-manifest.ts'
import { parseFromTracker, parseToTracker } from '../../protocol/tracker-wire.ts'
import { deepText, hostileTexts } from './arbitraries.ts'
import { readVector } from './read-vector.ts'
import { laterRefusalOf, refusalOf } from './refusal.ts'

const manifest = readVector<{
  envelopes: { root: string }
  bodies: { root: string; head: string; fresh: string }
  parts: Record<string, string>
}>('manifest')
const tracker = readVector<{ toTracker: unknown[]; fromTracker: unknown[] }>('tracker')
const join = readVector<{ accepted: unknown[] }>('join')
const [page = '', bin = ''] = Object.values(manifest.parts)

const parsers: { name: string; parse: (text: string) => unknown; limit: number; valid: unknown[] }[] = [
  {
    name: 'root',
    parse: (text) => parseRoot(utf8(text)),
    limit: rootLimitBytes,
    valid: [JSON.parse(manifest.bodies.root)],
  },
  {
    name: 'head',
    parse: (text) => parseHead(utf8(text)),
    limit: headLimitBytes,
    valid: [JSON.parse(manifest.bodies.head)],
  },
  {
    name: 'fresh',
    parse: (text) => parseFresh(utf8(text)),
    limit: freshLimitBytes,
    valid: [JSON.parse(manifest.bodies.fresh)],
  },
  { name: 'index page', parse: (text) => parseIndexPage(utf8(text)), limit: partLimitBytes, valid: [JSON.parse(page)] },
  { name: 'bin', parse: (text) => parseBin(utf8(text)), limit: partLimitBytes, valid: [JSON.parse(bin)] },
  { name: 'join response', parse: parseJoinResponse, limit: joinResponseBytes, valid: join.accepted },
  { name: 'message to the tracker', parse: parseToTracker, limit: trackerMessageBytes, valid: tracker.toTracker },
  {
    name: 'message of the tracker',
    parse: parseFromTracker,
    limit: trackerMessageBytes * 8,
    valid: tracker.fromTracker,
  },
]

describe.each(parsers)('the parser of a $name', ({ parse, limit, valid }) => {
  test('throws nothing but a ProtocolError, and takes nothing from a prototype', () => {
    fc.assert(
      fc.property(hostileTexts(valid), (text) => void refusalOf(() => parse(text))),
      { numRuns: 1000 },
    )
    expect(Object.keys(Object.prototype)).toEqual([])
  })

  test('refuses text over its limit before it reads it', () => {
    expect(refusalOf(() => parse(' '.repeat(limit + 1)))).toBe('oversized')
  })

  test('refuses JSON of any depth', () => {
    expect(refusalOf(() => parse(deepText))).toBe('malformed')
    expect(refusalOf(() => parse(`{"type":${deepText}}`))).toBe('malformed')
  })

  test('refuses a field that it does not know', () => {
    for (const value of valid) {
      expect(refusalOf(() => parse(JSON.stringify(value)))).toBe('accepted')
      expect(refusalOf(() => parse(JSON.stringify({ ...Object(value), unknown: 1 })))).toBe('malformed')
    }
  })
})

test('openPinnedRoot() throws nothing but a ProtocolError', async () => {
  const valid = [JSON.parse(manifest.envelopes.root)]
  await fc.assert(
    fc.asyncProperty(hostileTexts(valid), async (text) => {
      await laterRefusalOf(() => openPinnedRoot(text))
    }),
    { numRuns: 300 },
  )
})
