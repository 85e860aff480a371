import { describe, expect, test } from 'vitest'
import { parseJoinRequest, parseJoinResponse } from '../../protocol/join.ts'
import { joinRequestBytes } from '../../protocol/limits.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{
  accepted: unknown[]
  refused: unknown[]
  requests: { accepted: unknown[]; refused: unknown[] }
}>('join')

describe('parseJoinResponse', () => {
  test.each(vector.accepted.map((value) => ({ text: JSON.stringify(value), value })))(
    'reads $text',
    ({ text, value }) => {
      expect(parseJoinResponse(text)).toEqual(value)
    },
  )

  test.each(vector.refused.map((value) => ({ text: JSON.stringify(value) })))('refuses $text', ({ text }) => {
    expect(refusalOf(() => parseJoinResponse(text))).toBe('malformed')
  })
})

describe('parseJoinRequest', () => {
  test('reads the vector, and refuses the others', () => {
    const { accepted, refused } = vector.requests
    for (const value of accepted) expect(parseJoinRequest(JSON.stringify(value))).toEqual(value)
    for (const value of refused) expect(refusalOf(() => parseJoinRequest(JSON.stringify(value)))).toBe('malformed')
    expect(refusalOf(() => parseJoinRequest(' '.repeat(joinRequestBytes + 1)))).toBe('oversized')
  })
})
