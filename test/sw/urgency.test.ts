import { expect, test } from 'vitest'
import { mediaStartBytes } from '../../protocol/limits.ts'
import { critical, promptMsOf, urgencyOf } from '../../sw/urgency.ts'

const mib = 1024 * 1024

function urgency(
  destination: RequestDestination,
  type: string,
  size = 100_000,
  { ahead = 0, headers = {} }: { ahead?: number; headers?: Record<string, string> } = {},
) {
  return urgencyOf({ destination, headers: new Headers(headers) }, { size, headers: [['content-type', type]] })(ahead)
}

test.each<[RequestDestination, string]>([
  ['script', 'text/javascript'],
  ['style', 'text/css'],
  ['font', 'font/woff2'],
  ['document', 'text/html; charset=utf-8'],
  ['worker', 'text/javascript'],
  ['image', 'image/svg+xml'],
  ['', 'application/json'],
  ['', 'application/wasm'],
  ['', 'font/woff2'],
  ['track', 'text/vtt'],
])('urgencyOf() waits for no peer with %s of %s', (destination, type) => {
  expect(urgency(destination, type, 20 * mib)).toBe(critical)
})

test('urgencyOf() waits for no peer with what is small', () => {
  expect(urgency('image', 'image/png', 16_383)).toBe(critical)
  expect(urgency('image', 'image/png', 16_384)).not.toBe(critical)
})

test('urgencyOf() is the more patient the less anybody looks at it', () => {
  const slacks = [
    urgency('script', 'text/javascript'),
    urgency('image', 'image/png'),
    urgency('video', 'video/mp4', 20 * mib, { ahead: mediaStartBytes }),
    urgency('image', 'image/png', mib, { headers: { purpose: 'prefetch' } }),
  ].map(({ slackMs }) => slackMs)
  expect(slacks).toEqual(slacks.toSorted((one, other) => one - other))
  expect(new Set(slacks).size).toBe(4)
})

test('urgencyOf() takes the begin of a media request for what a player waits for, an image that a script fetches for one', () => {
  const image = urgency('image', 'image/jpeg')
  expect(urgency('video', 'video/mp4', 20 * mib)).toBe(image)
  expect(urgency('audio', 'audio/mpeg', 20 * mib, { ahead: mediaStartBytes - 1 })).toBe(image)
  expect(urgency('', 'image/jpeg')).toBe(image)
})

test('urgencyOf() has time for what is prefetched, whatever it is', () => {
  const headers = { 'sec-purpose': 'prefetch;prerender' }
  const image = urgency('image', 'image/png', mib, { headers })
  expect(urgency('script', 'text/javascript', 100_000, { headers })).toBe(image)
  expect(urgency('', 'text/css', 100_000, { headers: { purpose: 'prefetch' } })).toBe(image)
})

test('urgencyOf() takes a large fetch for a download', () => {
  expect(urgency('', 'application/octet-stream', mib)).toBe(urgency('', 'video/mp4', 20 * mib))
  expect(urgency('', 'application/octet-stream', mib - 1)).toBe(urgency('image', 'image/png'))
})

test('promptMsOf() lets what nobody waits for cost some time, and never many times what the origin takes', () => {
  const prefetch = urgency('', 'video/mp4', 20 * mib, { headers: { purpose: 'prefetch' } })
  expect(promptMsOf(prefetch, 100)).toBe(1100)
  expect(promptMsOf(prefetch, 1000)).toBe(2200)
  expect(promptMsOf(prefetch, 60_000)).toBe(65_000)
  expect(promptMsOf(critical, 100)).toBe(140)
})
