import { expect, test } from 'vitest'
import { isShareable } from '../../protocol/shareable.ts'

test.each<[Record<string, string>, boolean]>([
  [{}, true],
  [{ 'cache-control': 'public, max-age=60' }, true],
  [{ 'cache-control': 'no-cache' }, true],
  [{ 'cache-control': 'private' }, false],
  [{ 'cache-control': 'max-age=0,Private="x"' }, false],
  [{ 'cache-control': 'max-age=0, NO-STORE' }, false],
  [{ 'cache-control': 'my-private-word, not-no-stored' }, true],
  [{ vary: 'Accept-Encoding, origin,' }, true],
  [{ vary: 'accept-encoding, cookie' }, false],
  [{ vary: '*' }, false],
  [{ 'set-cookie': '' }, false],
])('isShareable(%j) is %s', (headers, expected) => {
  expect(isShareable(new Headers(headers))).toBe(expected)
  expect(isShareable(new Map(Object.entries(headers)))).toBe(expected)
})
