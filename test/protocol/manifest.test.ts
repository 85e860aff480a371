import { describe, expect, test } from 'vitest'
import { utf8 } from '../../protocol/bytes.ts'
import {
  assetLimitBytes,
  binRowLimit,
  delegateLimit,
  headersPerSetLimit,
  indexRowLimit,
  pathLimit,
} from '../../protocol/limits.ts'
import {
  assetOfRow,
  manifestFiles,
  parseBin,
  parseFresh,
  parseHead,
  parseIndexPage,
  parseRoot,
} from '../../protocol/manifest.ts'
import { parseContentId } from '../../protocol/ids.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const { bodies, headHash } = readVector<{
  bodies: { root: string; head: string; fresh: string }
  headHash: string
}>('manifest')

const id = 'ab'.repeat(32)
const bodyOf = (value: unknown) => utf8(JSON.stringify(value))

/** The body of the vector with some fields changed. */
const changed = (role: keyof typeof bodies, fields: Record<string, unknown>) =>
  bodyOf({ ...JSON.parse(bodies[role]), ...fields })

describe('parseHead', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a seq of 0', { seq: 0 }],
    ['a seq beyond 2^53', { seq: 2 ** 53 }],
    ['a fraction as time', { created: 1.5 }],
    ['a negative time', { expires: -1 }],
    ['no section /', { sections: ['/video/'] }],
    ['a section that is no folder', { sections: ['/', '/video'] }],
    ['a section that is not canonical', { sections: ['/', '/a/../'] }],
    ['17 sections', { sections: Array.from({ length: 17 }, (_, at) => (at === 0 ? '/' : `/${at}/`)) }],
    ['a guard of what is no section', { guarded: ['/music/'] }],
    ['rules of URLs that are none', { urls: { hosts: [] } }],
    ['an index depth of 4', { indexDepth: 4 }],
    [
      'an index out of order',
      {
        index: [
          ['/b', id],
          ['/a', id],
        ],
      },
    ],
    [
      'a path twice in the index',
      {
        index: [
          ['/a', id],
          ['/a', id],
        ],
      },
    ],
    [
      'more rows than an index may have',
      { index: Array.from({ length: indexRowLimit + 1 }, (_, at) => [`/${at + 1000}`, id]) },
    ],
    ['a hash in upper case', { previous: id.toUpperCase() }],
    ['a header name in upper case', { headerSets: [[['Content-Type', 'a/b']]] }],
    ['a header value with a line break', { headerSets: [[['content-type', 'a/b\r\nx: y']]] }],
    ['too many headers in a set', { headerSets: [Array.from({ length: headersPerSetLimit + 1 }, () => ['x-a', ''])] }],
  ])('refuses %s', (_, fields) => {
    expect(refusalOf(() => parseHead(changed('head', fields)))).toBe('malformed')
  })

  test.each(['set-cookie', 'content-encoding', 'content-length', 'content-range', 'transfer-encoding', 'etag', 'vary'])(
    'refuses the header %s, which the worker itself answers for',
    (name) => {
      expect(refusalOf(() => parseHead(changed('head', { headerSets: [[[name, 'a']]] })))).toBe('malformed')
    },
  )
})

describe('parseRoot', () => {
  const root = JSON.parse(bodies.root)
  const [key] = root.roles.root.keys
  test.each<[string, Record<string, unknown>]>([
    ['version 0', { version: 0 }],
    ['another algorithm', { keys: { [key]: { algorithm: 'ECDSA', public: root.keys[key].public } } }],
    ['a role whose key is not there', { keys: {} }],
    ['a threshold of 0', { roles: { ...root.roles, head: { keys: [key], threshold: 0 } } }],
    ['a threshold that cannot be reached', { roles: { ...root.roles, head: { keys: [key], threshold: 2 } } }],
    ['a key twice in a role', { roles: { ...root.roles, head: { keys: [key, key], threshold: 2 } } }],
    ['a role without keys', { roles: { ...root.roles, head: { keys: [], threshold: 1 } } }],
    ['a missing role', { roles: { root: root.roles.root, head: root.roles.head } }],
  ])('refuses %s', (_, fields) => {
    expect(refusalOf(() => parseRoot(changed('root', fields)))).toBe('malformed')
  })
})

describe('parseFresh', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a seq of 0', { heads: [[0, 0, id]] }],
    ['no head', { heads: [] }],
    [
      'two heads of one role',
      {
        heads: [
          [1, 1, id],
          [1, 2, id],
        ],
      },
    ],
    [
      'heads out of order',
      {
        heads: [
          [1, 1, id],
          [0, 2, id],
        ],
      },
    ],
    ['a role beyond the delegates', { heads: [[delegateLimit + 1, 1, id]] }],
    ['a negative role', { heads: [[-1, 1, id]] }],
    ['peers that is no boolean', { peers: 1 }],
    ['a revoked name that is no id', { revoked: ['/a.jpg'] }],
    ['513 revoked ids', { revoked: Array.from({ length: 513 }, () => id) }],
  ])('refuses %s', (_, fields) => {
    expect(refusalOf(() => parseFresh(changed('fresh', fields)))).toBe('malformed')
  })
})

describe('parseBin', () => {
  const row = ['/a', 0, 5, 65_536, id]
  const withField = (at: number, value: unknown) => row.with(at, value as never)
  test.each<[string, unknown[]]>([
    ['a path that is not canonical', [withField(0, '/a/../b')]],
    ['a path with a lone surrogate', [withField(0, '/\ud800')]],
    ['a path over its limit', [withField(0, `/${'a'.repeat(pathLimit)}`)]],
    ['a header set beyond the table', [withField(1, 256)]],
    ['a negative size', [withField(2, -1)]],
    ['a fraction as size', [withField(2, 0.5)]],
    ['a size over the limit', [withField(2, assetLimitBytes + 1)]],
    ['a chunk size of 32 KiB', [withField(3, 32_768)]],
    ['a chunk size of 512 KiB', [withField(3, 524_288)]],
    ['a chunk size that is no power of two', [withField(3, 65_537)]],
    ['a chunk size a hair over a power of two', [withField(3, 65_536 * (1 + Number.EPSILON))]],
    ['an id that is none', [withField(4, 'x')]],
    ['a row that is too short', [row.slice(0, 4)]],
    ['a row that is too long', [[...row, 1]]],
    ['a path twice', [row, row]],
    ['rows out of order', [withField(0, '/b'), row]],
    ['too many rows', Array.from({ length: binRowLimit + 1 }, (_, at) => withField(0, `/${at + 1000}`))],
  ])('refuses %s', (_, rows) => {
    expect(refusalOf(() => parseBin(bodyOf({ rows })))).toBe('malformed')
  })

  test('refuses bytes that are no UTF-8', () => {
    expect(refusalOf(() => parseBin(new Uint8Array([0x22, 0xff, 0x22])))).toBe('malformed')
  })
})

test('parseIndexPage() refuses rows out of order', () => {
  expect(
    refusalOf(() =>
      parseIndexPage(
        bodyOf({
          rows: [
            ['/b', id],
            ['/a', id],
          ],
        }),
      ),
    ),
  ).toBe('malformed')
})

test('assetOfRow() refuses a header set that the head does not have', () => {
  const [row] = parseBin(bodyOf({ rows: [['/a', 200, 5, 65_536, id]] }))
  if (row === undefined) throw new Error('Cannot test: no row')
  expect(refusalOf(() => assetOfRow(row, parseHead(utf8(bodies.head)), '/'))).toBe('malformed')
})

test('assetOfRow() tells of an asset what the head says of its section and of its URLs', () => {
  const urls = { ignoredQuery: [{ paths: '/**', names: ['token'] }], hosts: [] }
  const head = parseHead(changed('head', { guarded: ['/video/'], urls }))
  const [row] = parseBin(bodyOf({ rows: [['/video/a', 0, 5, 65_536, id]] }))
  if (row === undefined) throw new Error('Cannot test: no row')
  expect(assetOfRow(row, head, '/video/')).toMatchObject({ isGuarded: true, urls })
  expect(assetOfRow(row, head, '/').isGuarded).toBeUndefined()
})

test('manifestFiles names the files', () => {
  const content = parseContentId(headHash)
  if (content === undefined) throw new Error('Cannot test: no id')
  expect([manifestFiles.root, manifestFiles.fresh]).toEqual(['root.json', 'fresh.json'])
  expect(manifestFiles.head(content)).toBe(`heads/${headHash}.json`)
  expect(manifestFiles.part(content)).toBe(`parts/${headHash}`)
  expect(manifestFiles.content(content)).toBe(`content/${headHash}`)
})
