import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { planAnswer } from '../../origin/conditions.ts'
import type { Asset } from '../../protocol/chunks.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { etagOf, planResponse } from '../../sw/plan.ts'

const id = `${'0123456789abcdef'.repeat(2)}${'f'.repeat(32)}` as ContentId
const etag = `"${'0123456789abcdef'.repeat(2)}"`

function assetOf(size: number): Asset {
  const headers = [['content-type', 'video/mp4'] as const, ['cache-control', 'max-age=60'] as const]
  return { path: '/a', section: '/', id, size, chunkSize: 65_536, headers }
}

function plan(size: number, headers: Record<string, string>): ReturnType<typeof planResponse> {
  return planResponse(assetOf(size), new Headers(headers))
}

describe('planResponse()', () => {
  test('answers for another host so that pages may load it which require that of all they load (COEP)', () => {
    const { headers } = planResponse(assetOf(1), new Headers(), true)
    expect(Object.fromEntries(headers)['cross-origin-resource-policy']).toBe('cross-origin')
  })

  test('answers whole, with the signed headers', () => {
    const { status, headers, body } = plan(1000, {})
    expect([status, body]).toEqual([200, { start: 0, end: 1000 }])
    expect(Object.fromEntries(headers)).toEqual({
      'content-type': 'video/mp4',
      'cache-control': 'max-age=60',
      'accept-ranges': 'bytes',
      'content-length': '1000',
      etag,
    })
  })

  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=900-', 900, 1000],
    ['bytes=900-5000', 900, 1000],
    ['bytes=-100', 900, 1000],
    ['bytes=-5000', 0, 1000],
    ['bytes=999-999', 999, 1000],
    ['BYTES= 1-1 ', 1, 2],
  ])('answers %s with the bytes %i to %i', (range, start, end) => {
    const { status, headers, body } = plan(1000, { range })
    expect([status, body]).toEqual([206, { start, end }])
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-range': `bytes ${start}-${end - 1}/1000`,
      'content-length': String(end - start),
    })
  })

  test.each([
    'bytes=0-1,5-6',
    'bytes=5-4',
    'bytes=-',
    'bytes=a-b',
    'bytes 0-1',
    'chunks=0-1',
    'bytes=1.5-2',
    '-1',
    'bytes=9007199254740993-9007199254740992',
  ])('answers %s whole', (range) => expect(plan(1000, { range }).status).toBe(200))

  test.each([
    [1000, 'bytes=1000-'],
    [1000, 'bytes=5000-6000'],
    [1000, 'bytes=-0'],
    [0, 'bytes=0-'],
    [0, 'bytes=-5'],
  ])('refuses of %i bytes %s', (size, range) => {
    const { status, headers, body } = plan(size, { range })
    expect([status, body]).toEqual([416, undefined])
    expect(Object.fromEntries(headers)).toMatchObject({ 'content-range': `bytes */${size}`, 'content-length': '0' })
  })

  test.each([
    [etag, 206],
    [`W/${etag}`, 200],
    ['"other"', 200],
    ['Mon, 01 Jan 2024 00:00:00 GMT', 200],
  ])('with If-Range %s answers a range with %i', (ifRange, status) => {
    expect(plan(1000, { range: 'bytes=0-1', 'if-range': ifRange }).status).toBe(status)
  })

  test.each([
    [etag, 304],
    [`W/${etag}`, 304],
    [`"a", ${etag}`, 304],
    ['*', 304],
    ['"other"', 200],
  ])('with If-None-Match %s answers %i, before any range', (ifNoneMatch, status) => {
    const answer = plan(1000, { 'if-none-match': ifNoneMatch })
    expect(answer.status).toBe(status)
    if (status === 200) return
    expect(plan(1000, { 'if-none-match': ifNoneMatch, range: 'bytes=5000-' }).status).toBe(304)
    expect(Object.fromEntries(answer.headers)).toEqual({
      'cache-control': 'max-age=60',
      'accept-ranges': 'bytes',
      etag,
    })
  })

  test('looks at no date', () => {
    expect(plan(1000, { 'if-modified-since': new Date(4e12).toUTCString() }).status).toBe(200)
  })

  // A page must not be able to tell who answered.
  test('says what the origin says', () => {
    const number = fc.oneof(fc.nat(20), fc.nat(3000), fc.constantFrom('', ' ', '-1', 'x'))
    const range = fc.oneof(
      fc.tuple(number, number).map(([first, last]) => `bytes=${first}-${last}`),
      fc.string({ maxLength: 12 }).filter((text) => /^[\x21-\x7e]*$/.test(text)),
    )
    const tag = fc.constantFrom(undefined, etag, `W/${etag}`, '"x"', '*', `"x", ${etag}`, 'yesterday')
    fc.assert(
      fc.property(fc.nat(2000), fc.option(range), tag, tag, (size, rangeText, ifRange, ifNoneMatch) => {
        const headers = new Headers()
        if (rangeText !== null) headers.set('range', rangeText)
        if (ifRange !== undefined) headers.set('if-range', ifRange)
        if (ifNoneMatch !== undefined) headers.set('if-none-match', ifNoneMatch)
        const own = planResponse(assetOf(size), headers)
        const origin = planAnswer('GET', headers, { etag: etagOf(assetOf(size)) }, size)
        expect(own.status).toBe(origin.status)
        if (origin.status === 206) expect(own.body).toEqual({ start: origin.range.start, end: origin.range.end + 1 })
      }),
    )
  })
})
