import { expect, test } from 'vitest'
import { concatBytes } from '../../protocol/bytes.ts'
import { encodeFrame, parseFrame } from '../../protocol/peer-wire.ts'
import { parseToTracker } from '../../protocol/tracker-wire.ts'
import { readVector } from '../protocol/read-vector.ts'
import { refusalOf } from '../protocol/refusal.ts'
import { Standing } from '../../sdk/standing.ts'

// Who could say what they gave would say much. No wire has a place for it, so nothing can come to depend on it.

test('the tracker hears no number that a peer says about itself', () => {
  const { toTracker } = readVector<{ toTracker: Record<string, unknown>[] }>('tracker')
  for (const message of toTracker) {
    for (const field of ['uploaded', 'downloaded', 'left', 'bytesPerSecond', 'score', 'seeder']) {
      expect(refusalOf(() => parseToTracker(JSON.stringify({ ...message, [field]: 1e9 })))).toBe('malformed')
    }
  }
})

test('a peer hears no number that another says about itself', () => {
  const hello = encodeFrame({ type: 'hello', version: 1, proofs: [], pass: '' })
  expect(refusalOf(() => parseFrame(hello))).toBe('accepted')
  expect(refusalOf(() => parseFrame(concatBytes([hello, Uint8Array.of(0, 0, 255, 255)])))).toBe('malformed')
})

test('a peer that says how busy it is gains nothing but a rest, and no long one', () => {
  const standing = new Standing()
  standing.refused(0xffff, 0)
  expect([standing.failureRate, standing.isAvailable(9999), standing.isAvailable(10_000)]).toEqual([0, false, true])
})
