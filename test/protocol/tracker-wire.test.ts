import { describe, expect, test } from 'vitest'
import { parseFromTracker, parseToTracker } from '../../protocol/tracker-wire.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{ toTracker: { type: string }[]; fromTracker: { type: string }[]; refused: unknown[] }>(
  'tracker',
)

describe('tracker messages', () => {
  test.each(vector.toTracker)('parseToTracker() reads $type', (message) => {
    expect(parseToTracker(JSON.stringify(message))).toEqual(message)
  })

  test.each(vector.fromTracker)('parseFromTracker() reads $type', (message) => {
    expect(parseFromTracker(JSON.stringify(message))).toEqual(message)
  })

  test.each(vector.refused.map((message) => ({ text: JSON.stringify(message) })))(
    'parseToTracker() refuses $text',
    ({ text }) => {
      expect(refusalOf(() => parseToTracker(text))).toBe('malformed')
    },
  )

  test('neither direction takes the other’s messages, signals apart', () => {
    for (const message of vector.fromTracker) {
      expect(refusalOf(() => parseToTracker(JSON.stringify(message)))).toBe('malformed')
    }
    for (const message of vector.toTracker) {
      expect(refusalOf(() => parseFromTracker(JSON.stringify(message)))).toBe('malformed')
    }
  })
})
