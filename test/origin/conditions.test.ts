import { expect, test } from 'vitest'
import { planAnswer } from '../../origin/conditions.ts'

const etag = '"abc"'
const modifiedMs = Date.parse('2026-01-02T03:04:05.678Z')
const range = { status: 206, range: { start: 0, end: 9 } }

function plan(headers: Record<string, string>, validators: { modifiedMs?: number } = {}, method = 'GET') {
  return planAnswer(method, new Headers(headers), { etag, ...validators }, 100)
}

test.each([
  ['no condition', {}, { status: 200 }],
  ['the same tag', { 'if-none-match': etag }, { status: 304 }],
  ['the same tag, weak', { 'if-none-match': 'W/"abc"' }, { status: 304 }],
  ['a list with the tag', { 'if-none-match': '"x", "abc"' }, { status: 304 }],
  ['any tag', { 'if-none-match': '*' }, { status: 304 }],
  ['another tag', { 'if-none-match': '"abd"' }, { status: 200 }],
  ['a tag without quotes', { 'if-none-match': 'abc' }, { status: 200 }],
  ['the tag as part of another', { 'if-none-match': '"xabc"' }, { status: 200 }],
  ['If-Match with the tag', { 'if-match': etag }, { status: 200 }],
  ['If-Match with the weak tag', { 'if-match': 'W/"abc"' }, { status: 412 }],
  ['If-Match with another', { 'if-match': '"x"' }, { status: 412 }],
  ['a date, where there is none to compare', { 'if-modified-since': new Date().toUTCString() }, { status: 200 }],
  ['a range', { range: 'bytes=0-9' }, range],
  ['a range beyond the end', { range: 'bytes=100-' }, { status: 416 }],
  ['a range and the tag seen before', { range: 'bytes=0-9', 'if-none-match': etag }, { status: 304 }],
  ['If-Range with the tag', { range: 'bytes=0-9', 'if-range': etag }, range],
  ['If-Range with another tag', { range: 'bytes=0-9', 'if-range': '"x"' }, { status: 200 }],
  ['If-Range with the weak tag', { range: 'bytes=0-9', 'if-range': 'W/"abc"' }, { status: 200 }],
  ['If-Range with a date', { range: 'bytes=0-9', 'if-range': new Date().toUTCString() }, { status: 200 }],
  ['If-Range missed, range beyond the end', { range: 'bytes=100-', 'if-range': '"x"' }, { status: 200 }],
])('planAnswer() with %s', (_name, headers, expected) => {
  expect(plan(headers)).toEqual(expected)
})

test.each([
  ['the same second', { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:05 GMT' }, 304],
  ['a later time', { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:06 GMT' }, 304],
  ['an earlier time', { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:04 GMT' }, 200],
  ['no date', { 'if-modified-since': 'yesterday or so' }, 200],
  ['a year alone', { 'if-modified-since': '2099' }, 200],
  ['a date of another form', { 'if-modified-since': '2099-01-01T00:00:00Z' }, 200],
  ['a date without its zone', { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:06' }, 200],
  ['the same second as RFC 850 wrote it', { 'if-modified-since': 'Friday, 02-Jan-26 03:04:05 GMT' }, 304],
  ['an earlier second as RFC 850 wrote it', { 'if-modified-since': 'Friday, 02-Jan-26 03:04:04 GMT' }, 200],
  ['the same second as asctime() writes it', { 'if-modified-since': 'Fri Jan  2 03:04:05 2026' }, 304],
  ['an earlier second as asctime() writes it', { 'if-modified-since': 'Fri Jan  2 03:04:04 2026' }, 200],
  ['a date, but another tag', { 'if-modified-since': 'Fri, 02 Jan 2026 03:04:05 GMT', 'if-none-match': '"x"' }, 200],
  ['unmodified since an earlier time', { 'if-unmodified-since': 'Fri, 02 Jan 2026 03:04:04 GMT' }, 412],
  ['unmodified since that time', { 'if-unmodified-since': 'Fri, 02 Jan 2026 03:04:05 GMT' }, 200],
])('planAnswer() of a file with a time, for %s', (_name, headers, status) => {
  expect(plan(headers, { modifiedMs })).toEqual({ status })
})

test('planAnswer() ignores Range for HEAD', () => {
  expect(plan({ range: 'bytes=0-9' }, {}, 'HEAD')).toEqual({ status: 200 })
})
