import { expect, test } from 'vitest'
import { describeLives, headWarning, rootWarning } from '../../origin/lives.ts'
import { someTime } from './temporary-site.ts'

const day = 86_400
const now = someTime // 2027-01-15 08:00

test.each([
  [{ root: now + 9 * day, head: now + 30 * day, fresh: now + day }, '2027-01-16 08:00 UTC: publish again'],
  [{ root: now + 9 * day, head: now + 60, fresh: now + 900 * day }, '2027-01-15 08:01 UTC: publish again'],
  [
    { root: now + 9 * day, head: now + 30 * day, fresh: now + 10 * day },
    '2027-01-24 08:00 UTC: run nearhand keys renew',
  ],
  [
    { root: now - 60, head: now + 30 * day, fresh: now + day },
    'use no peers: what was signed ended on 2027-01-15 07:59',
  ],
])('describeLives() of %j tells %s', (lives, told) => {
  expect(describeLives(lives, now)).toContain(told)
})

test('rootWarning() warns for the last 30 days, and afterwards', () => {
  expect(rootWarning(now + 30 * day + 1, now)).toBeUndefined()
  expect(rootWarning(now + 30 * day, now)).toContain('ends on 2027-02-14 08:00 UTC, from then on')
  expect(rootWarning(now, now)).toContain('ended on 2027-01-15 08:00 UTC, visitors use no peers')
})

test('headWarning() warns for the last 7 days of what was published elsewhere', () => {
  expect(headWarning(now + 7 * day + 1, now)).toBeUndefined()
  expect(headWarning(now + 7 * day, now)).toContain('ends on 2027-01-22 08:00 UTC: run nearhand publish')
  expect(headWarning(now, now)).toContain('ended on')
  expect(headWarning(0, now)).toBeUndefined() // nothing was published
})
