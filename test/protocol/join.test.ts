import { describe, expect, test } from 'vitest'
import { parseJoinResponse } from '../../protocol/join.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{ accepted: unknown[]; refused: unknown[] }>('join')

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
