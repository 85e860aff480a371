import { expect, test } from 'vitest'
import { decideConsent, uploadLimitOn } from '../../sdk/consent.ts'

test('decideConsent() lets the visitor’s own word count most', () => {
  expect(decideConsent('denied', 'granted', false)).toBe('denied')
  expect(decideConsent('granted', 'ask', true)).toBe('granted')
})

test('decideConsent() takes the site’s word unless the browser asks not to share', () => {
  expect(decideConsent(undefined, 'granted', false)).toBe('granted')
  expect(decideConsent(undefined, 'granted', true)).toBe('unknown')
  expect(decideConsent(undefined, 'ask', false)).toBe('unknown')
  expect(decideConsent('perhaps', 'ask', false)).toBe('unknown')
})

test.each([
  [undefined, 5],
  [{}, 5],
  [{ saveData: false, type: 'wifi' }, 5],
  [{ saveData: true }, 0],
  [{ type: 'cellular' }, 0],
])('uploadLimitOn() on %o is %d', (line, limit) => {
  expect(uploadLimitOn(line, 5)).toBe(limit)
})
