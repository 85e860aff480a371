import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bytesOfHex, concatBytes, hexOf } from '../../protocol/bytes.ts'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import { peerIdSchema, swarmIdSchema } from '../../protocol/ids.ts'
import { parseValue } from '../../protocol/json.ts'
import {
  chunkLimit,
  chunksPerMap,
  frameLimitBytes,
  mapScaleLimit,
  maxChunkBytes,
  pageLimit,
  swarmsPerPeer,
  unitBytes,
} from '../../protocol/limits.ts'
import {
  encodeFrame,
  indexOnWire,
  listIndexOnWire,
  parseFrame,
  shortIdOf,
  swarmProof,
} from '../../protocol/peer-wire.ts'
import type { PeerFrame } from '../../protocol/peer-wire.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

const vector = readVector<{
  frames: { name: string; hex: string; frame: Record<string, unknown> }[]
  refused: { name: string; hex: string; then: string; times: number; code: string }[]
}>('peer-frames')

const u32 = fc.nat(0xffffffff)
const shortId = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hexOf)
const asset = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(contentIdOfDigest)
const state = fc.constantFrom('gone' as const, 'whole' as const, 'part' as const)
const plain = (bytes: Uint8Array) => new Uint8Array(bytes)

const frame: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.constant(1),
    proofs: fc.array(shortId, { maxLength: swarmsPerPeer }),
  }),
  fc.record({
    type: fc.constant('have' as const),
    proof: shortId,
    reset: fc.boolean(),
    entries: fc.array(fc.record({ id: shortId, state }), { maxLength: 50 }),
  }),
  fc.record({ type: fc.constant('interest' as const), asset }),
  fc.nat(chunksPerMap).chain((count) =>
    fc.record({
      type: fc.constant('map' as const),
      asset,
      scale: fc.nat(mapScaleLimit),
      count: fc.constant(count),
      bits: fc
        .uint8Array({ minLength: Math.ceil(count / 8), maxLength: Math.ceil(count / 8) })
        .map((bits) => clearAfter(plain(bits), count)),
    }),
  ),
  fc.integer({ min: 1, max: unitBytes }).chain((length) =>
    fc.record({
      type: fc.constant('want' as const),
      request: u32,
      asset,
      index: fc.oneof(
        fc.nat(chunkLimit - 1),
        fc.integer({ min: 1 - pageLimit, max: 0 }).map((at) => indexOnWire(at - 2)),
        fc.constant(listIndexOnWire),
      ),
      offset: fc.nat(maxChunkBytes - length),
      length: fc.constant(length),
    }),
  ),
  fc.record({
    type: fc.constant('data' as const),
    request: u32,
    bytes: fc.uint8Array({ minLength: 1, maxLength: 500 }).map(plain),
  }),
  fc.record({ type: fc.constant('busy' as const), request: u32, retryAfterMs: fc.nat(0xffff) }),
  fc.record({ type: fc.constant('absent' as const), request: u32 }),
  fc.record({ type: fc.constant('cancel' as const), request: u32 }),
)

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
      fc.property(frame, (given) => {
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
      fc.property(frame, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, at, change) => {
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
      fc.property(frame, fc.nat(), (given, at) => {
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

function clearAfter(bits: Uint8Array, count: number): Uint8Array {
  const spare = bits.length * 8 - count
  const last = bits.length - 1
  if (spare > 0) bits[last] = (bits[last] ?? 0) & (0xff << spare)
  return bits
}
