import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { base64Of, isSameBytes, utf8 } from '../../protocol/bytes.ts'
import { freshLimitBytes, headLimitBytes, pathLimit, rootLimitBytes } from '../../protocol/limits.ts'
import { mediaTypes, parseBin, parseFresh, parseHead, parseRoot } from '../../protocol/manifest.ts'
import { canonicalPath } from '../../protocol/paths.ts'
import { openEnvelope, preAuthEncoding } from '../../protocol/signature.ts'
import { openPinnedRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { readVector } from './read-vector.ts'
import { laterRefusalOf, refusalOf } from './refusal.ts'
import { keysOf, roleOf, signJson, testKey } from './signers.ts'

const { now, envelopes, bodies } = readVector<{
  now: number
  envelopes: { root: string; head: string; fresh: string }
  bodies: { root: string; head: string; fresh: string }
}>('manifest')
const [rootKey, headKey, freshKey] = await Promise.all([testKey(1), testKey(2), testKey(3)])
const opened = {
  root: { key: rootKey, limit: rootLimitBytes, type: mediaTypes.root },
  head: { key: headKey, limit: headLimitBytes, type: mediaTypes.head },
  fresh: { key: freshKey, limit: freshLimitBytes, type: mediaTypes.fresh },
} as const
type Name = keyof typeof opened
const names = Object.keys(opened) as Name[]

const open = (name: Name, text: string | Uint8Array) => {
  const { key, limit, type } = opened[name]
  return openEnvelope(text, type, limit, roleOf([key]), keysOf([key]))
}

describe.each(names)('the envelope of a %s', (name) => {
  const bytes = utf8(envelopes[name])

  test('is refused with any one byte changed', async () => {
    const accepted: number[] = []
    for (const [at, byte] of bytes.entries()) {
      const refusal = await laterRefusalOf(() => open(name, bytes.with(at, byte ^ (1 << (at % 8)))))
      if (refusal === 'accepted') accepted.push(at)
    }
    expect(accepted).toEqual([])
  })

  test('is refused with bytes cut, added or moved, unless it says the very same', async () => {
    const splice = fc.tuple(fc.nat(bytes.length), fc.nat(5), fc.uint8Array({ maxLength: 5 }), fc.nat(bytes.length))
    await fc.assert(
      fc.asyncProperty(splice, async ([at, length, added, to]) => {
        const rest = [...bytes.subarray(0, at), ...bytes.subarray(at + length)]
        const changed = Uint8Array.from(rest.toSpliced(to, 0, ...added))
        // White space between the parts of JSON is nobody's to sign.
        let body: Uint8Array | undefined
        const refusal = await laterRefusalOf(async () => (body = await open(name, changed)))
        if (refusal === 'accepted') expect(Buffer.from(body ?? []).toString()).toBe(bodies[name])
      }),
      { numRuns: 1000 },
    )
  })
})

// JSON lets a name stand twice, and parsers differ in which one they take. What is checked must be what is used.
test('openEnvelope() checks and gives the same one of two payloads', async () => {
  const own = base64Of(utf8('{"evil":1}'))
  const [start, end] = ['{"payload":"', envelopes.fresh.slice(1)]
  expect(Buffer.from(await open('fresh', `${start}${own}",${end}`)).toString()).toBe(bodies.fresh)
  const after = envelopes.fresh.replace(/\}$/, `,"payload":"${own}"}`)
  expect(await laterRefusalOf(() => open('fresh', after))).toBe('untrusted')
})

test('openEnvelope() refuses two signatures of which none holds, and takes the first that does', async () => {
  const envelope = JSON.parse(envelopes.fresh)
  const [good] = envelope.signatures
  const bad = { ...good, sig: base64Of(new Uint8Array(64)) }
  expect(await laterRefusalOf(() => open('fresh', JSON.stringify({ ...envelope, signatures: [bad, bad] })))).toBe(
    'untrusted',
  )
  expect(await laterRefusalOf(() => open('fresh', JSON.stringify({ ...envelope, signatures: [bad, good] })))).toBe(
    'accepted',
  )
})

test('openEnvelope() refuses more signatures than it checks', async () => {
  const envelope = JSON.parse(envelopes.fresh)
  const many = Array.from({ length: 17 }, () => envelope.signatures[0])
  expect(await laterRefusalOf(() => open('fresh', JSON.stringify({ ...envelope, signatures: many })))).toBe('malformed')
})

test('preAuthEncoding() never gives one message for two objects', () => {
  const part = fc.string({ unit: fc.constantFrom('0', '1', ' ', 'a', '\u00e4'), maxLength: 6 })
  fc.assert(
    fc.property(part, part, part, part, (type, body, otherType, otherBody) => {
      const isSame = isSameBytes(preAuthEncoding(type, utf8(body)), preAuthEncoding(otherType, utf8(otherBody)))
      expect(isSame).toBe(type === otherType && body === otherBody)
    }),
    { numRuns: 2000 },
  )
})

describe('numbers', () => {
  const huge = ['9007199254740992', '1e999', '-1', '1.5', '1e400', '123456789012345678901234567890', '"7"', 'null']
  test.each([
    ['root', parseRoot, ['version', 'created', 'expires', 'floor']],
    ['head', parseHead, ['seq', 'created', 'expires', 'assetCount', 'indexDepth']],
    ['fresh', parseFresh, ['root', 'issued', 'expires', 'grace', 'minimumSwarm']],
  ] as const)('that a %s cannot hold exactly are refused', (name, parse, fields) => {
    for (const field of fields) {
      for (const value of huge) {
        const text = bodies[name].replace(new RegExp(`"${field}":\\d+`), `"${field}":${value}`)
        expect(text).not.toBe(bodies[name])
        expect(
          refusalOf(() => parse(utf8(text))),
          `${field}: ${value}`,
        ).toBe('malformed')
      }
    }
  })

  test('as large as can be hold no device for ever: a root with a higher version begins anew', async () => {
    const root = await openPinnedRoot(envelopes.root)
    const manifest = new TrustedManifest(root)
    const stolen = { ...JSON.parse(bodies.fresh), heads: [[0, Number.MAX_SAFE_INTEGER, 'a'.repeat(64)]], issued: now }
    await manifest.acceptFresh(await signJson(mediaTypes.fresh, stolen, [freshKey]), now)
    const next = { ...root, version: root.version + 1, floor: 8 }
    const anew = new TrustedManifest(await openPinnedRoot(await signJson(mediaTypes.root, next, [rootKey])))
    const fresh = { ...JSON.parse(bodies.fresh), root: next.version, heads: [[0, 8, 'a'.repeat(64)]], issued: now }
    expect(
      await laterRefusalOf(async () => anew.acceptFresh(await signJson(mediaTypes.fresh, fresh, [freshKey]), now)),
    ).toBe('accepted')
  })
})

describe('names that JavaScript knows', () => {
  const evil = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
  test.each(evil)('%s brings nothing into a manifest', (name) => {
    for (const [text, parse] of [
      [bodies.root, parseRoot],
      [bodies.head, parseHead],
      [bodies.fresh, parseFresh],
    ] as const) {
      const with1 = text.replace(/^\{/, `{"${name}":{"peers":true,"site":"x"},`)
      let parsed: object | undefined
      if (refusalOf(() => (parsed = parse(utf8(with1)))) === 'accepted') expect(parsed).toEqual(JSON.parse(text))
    }
    expect(Object.hasOwn(Object.prototype, 'peers')).toBe(false)
  })

  test.each(evil)('%s is no key and no role', (name) => {
    const root = JSON.parse(bodies.root)
    const key = JSON.stringify(Object.values(root.keys)[0])
    const text = bodies.root.replace('"keys":{', `"keys":{"${name}":${key},`)
    let keys: object | undefined
    if (refusalOf(() => (keys = parseRoot(utf8(text)).keys)) === 'accepted') expect(keys).toEqual(root.keys)
    const asRole = bodies.root.replace(/"root":\{"keys":\["[0-9a-f]+"\]/, `"root":{"keys":["${name}"]`)
    expect(asRole).not.toBe(bodies.root)
    expect(refusalOf(() => parseRoot(utf8(asRole)))).toBe('malformed')
  })
})

describe('paths', () => {
  const tricks = [
    '//a',
    '/a//b',
    '/a/../b',
    '/a/./b',
    '/..',
    '/.',
    '/%2e%2e/a',
    '/%2E/a',
    '/a/.%2e/b',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a%00b',
    '/a\u0000b',
    '/a?b',
    '/a?',
    '/a#b',
    '/a%3fb',
    '/a%c3',
    '/a%ff',
    '/a%ed%a0%80',
    '/a%c0%ae',
    '/a%',
    '/a%zz',
    '/%61',
    '/a%C3%a4',
    '/\u00e4',
    '/a b',
    '/\ud800',
    '/\udc00\ud800',
    'a',
    '',
    'https://other.test/a',
    `/${'a'.repeat(pathLimit)}`,
    '/a\r\nb',
    '/a\u202eb',
  ]
  const rowOf = (path: string) => utf8(JSON.stringify({ rows: [[path, 0, 5, 65_536, 'a'.repeat(64)]] }))

  test.each(tricks.map((path) => [JSON.stringify(path).slice(0, 30), path] as const))(
    'parseBin() lists no asset at %s',
    (_, path) => {
      expect(refusalOf(() => parseBin(rowOf(path)))).toBe('malformed')
    },
  )

  test('canonicalPath() gives a listed path to no other spelling that a browser would ask another file by', () => {
    const other = ['/A.txt', '/a.TXT', '/a.txt/', '/a.txt.', '/a.txt%20', '/a.txt;x', '/a%2Etxt']
    expect(other.map(canonicalPath).filter((path) => path === '/a.txt')).toEqual(['/a.txt'])
    expect(canonicalPath('/a%2Etxt'), 'the same file to every browser and server').toBe('/a.txt')
  })
})
