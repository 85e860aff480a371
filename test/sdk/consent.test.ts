import { expect, test } from 'vitest'
import { decideConsent } from '../../sdk/consent.ts'

test('decideConsent() lets the visitor’s own word count most', () => {
  expect(decideConsent('denied', 'granted', false)).toBe('denied')
  expect(decideConsent('granted', 'ask', true)).toBe('granted')
  expect(decideConsent('granted', 'off', false)).toBe('granted')
})

test('decideConsent() takes the site’s word unless the browser is reluctant', () => {
  expect(decideConsent(undefined, 'granted', false)).toBe('granted')
  expect(decideConsent(undefined, 'granted', true)).toBe('unknown')
  expect(decideConsent(undefined, 'ask', false)).toBe('unknown')
  expect(decideConsent(undefined, 'off', false)).toBe('unknown')
  expect(decideConsent('perhaps', 'ask', false)).toBe('unknown')
})
