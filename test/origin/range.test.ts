import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseRange } from '../../origin/range.ts'

test.each([
  ['bytes=0-0', { start: 0, end: 0 }],
  ['bytes=0-99', { start: 0, end: 99 }],
  ['bytes=10-20', { start: 10, end: 20 }],
  ['bytes=99-99', { start: 99, end: 99 }],
  ['bytes=0-', { start: 0, end: 99 }],
  ['bytes=40-', { start: 40, end: 99 }],
  ['bytes=-1', { start: 99, end: 99 }],
  ['bytes=-100', { start: 0, end: 99 }],
  ['bytes=-101', { start: 0, end: 99 }],
  ['bytes=50-100', { start: 50, end: 99 }],
  ['bytes=50-99999999999999999999999', { start: 50, end: 99 }],
  ['BYTES=1-2', { start: 1, end: 2 }],
  ['bytes= 1-2 ', { start: 1, end: 2 }],
])('parseRange() takes %s of 100 bytes', (header, range) => {
  expect(parseRange(header, 100)).toEqual(range)
})

test.each(['bytes=100-', 'bytes=100-200', 'bytes=99999999999999999999-', 'bytes=-0'])(
  'parseRange() finds nothing for %s in 100 bytes',
  (header) => {
    expect(parseRange(header, 100)).toBe('unsatisfiable')
  },
)

test.each([
  null,
  undefined,
  '',
  'bytes',
  'bytes=',
  'bytes=-',
  'bytes=a-b',
  'bytes=5-4',
  'bytes=9007199254740993-9007199254740992',
  'bytes=1-2,4-5',
  'bytes=1-2;',
  'bytes=+1-2',
  'bytes=1.5-2',
  'bytes=0x1-2',
  'bytes 1-2',
  'items=1-2',
  'bytes=1--2',
])('parseRange() ignores %s', (header) => {
  expect(parseRange(header, 100)).toBe('whole')
})

test.each(['bytes=0-', 'bytes=0-0', 'bytes=-1'])('parseRange() finds nothing for %s in the empty body', (header) => {
  expect(parseRange(header, 0)).toBe('unsatisfiable')
})

test('parseRange() never leaves the body, whatever it is given', () => {
  const header = fc.oneof(
    fc.string(),
    fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
  )
  fc.assert(
    fc.property(header, fc.nat(10_000), (text, size) => {
      const range = parseRange(text, size)
      if (typeof range === 'string') return
      expect(range.start).toBeGreaterThanOrEqual(0)
      expect(range.end).toBeGreaterThanOrEqual(range.start)
      expect(range.end).toBeLessThan(size)
    }),
  )
})
