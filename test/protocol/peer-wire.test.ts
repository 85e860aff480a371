import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOfHex, concatBytes, hexOf } from '../../protocol/bytes.ts'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import { peerIdSchema, swarmIdSchema } from '../../protocol/ids.ts'
import { parseValue } from '../../protocol/json.ts'
import { frameLimitBytes } from '../../protocol/limits.ts'
import { encodeFrame, parseFrame, shortIdOf, swarmProof } from '../../protocol/peer-wire.ts'
import { peerFrames } from './peer-frames.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{
  frames: { name: string; hex: string; frame: Record<string, unknown> }[]
  refused: { name: string; hex: string; then: string; times: number; code: string }[]
}>('peer-frames')

describe('peer frames', () => {
  test.each(vector.frames)('parseFrame() reads and encodeFrame() writes: $name', ({ hex, frame: expected }) => {
    const read = parseFrame(bytesOfHex(hex))
    expect(Object.fromEntries(Object.entries(read).map(([key, value]) => [key, spell(value)]))).toEqual(expected)
    expect(hexOf(encodeFrame(read))).toBe(hex)
  })

  test.each(vector.refused)('parseFrame() refuses $name', ({ hex, then, times, code }) => {
    expect(refusalOf(() => parseFrame(bytesOfHex(hex + then.repeat(times))))).toBe(code)
  })

  test('parseFrame() gives back what encodeFrame() took, and no frame is over its limit', () => {
    fc.assert(
      fc.property(peerFrames, (given) => {
        const bytes = encodeFrame(given)
        expect(bytes.length).toBeLessThanOrEqual(frameLimitBytes)
        expect(parseFrame(bytes)).toEqual(given)
      }),
      { numRuns: 500 },
    )
  })

  test('parseFrame() throws nothing but a ProtocolError, whatever the bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 200 })
    const typed = fc.tuple(fc.nat(12), bytes).map(([type, rest]) => concatBytes([new Uint8Array([type]), rest]))
    fc.assert(
      fc.property(fc.oneof(bytes, typed), (given) => void refusalOf(() => parseFrame(given))),
      { numRuns: 3000 },
    )
  })

  test('parseFrame() reads a changed frame as exactly what it says, or refuses it', () => {
    fc.assert(
      fc.property(peerFrames, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
        const bytes = encodeFrame(given)
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ change
        // One frame has one encoding: what is accepted would be sent as these very bytes.
        if (refusalOf(() => parseFrame(bytes)) === 'accepted') expect(encodeFrame(parseFrame(bytes))).toEqual(bytes)
      }),
      { numRuns: 1000 },
    )
  })

  test('parseFrame() refuses every frame cut short, data apart', () => {
    fc.assert(
      fc.property(peerFrames, fc.nat(), (given, at) => {
        const bytes = encodeFrame(given)
        const cut = bytes.subarray(0, at % bytes.length)
        if (given.type !== 'data' || cut.length <= 5) expect(refusalOf(() => parseFrame(cut))).not.toBe('accepted')
      }),
    )
  })
})

describe('swarmProof', () => {
  const text = readVector<{ swarm: string; sender: string; proof: string }>('swarm-proof')
  const swarm = parseValue(swarmIdSchema, text.swarm, 'swarm')
  const sender = parseValue(peerIdSchema, text.sender, 'sender')

  test('is that of the vector', async () => {
    expect(await swarmProof(swarm, sender)).toBe(text.proof)
  })

  test('differs for another sender, so that a proof cannot be passed on', async () => {
    const other = parseValue(peerIdSchema, '0'.repeat(32), 'sender')
    expect(await swarmProof(swarm, other)).not.toBe(text.proof)
  })
})

test('shortIdOf() is the first 8 bytes', () => {
  expect(shortIdOf(contentIdOfDigest(new Uint8Array(32).map((_, at) => at)))).toBe('0001020304050607')
})

function spell(value: unknown): unknown {
  return value instanceof Uint8Array ? hexOf(value) : value
}
