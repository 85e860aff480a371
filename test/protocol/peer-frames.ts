import fc from 'fast-check'
import { hexOf } from '../../protocol/bytes.ts'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import {
  chunkLimit,
  chunksPerMap,
  mapScaleLimit,
  maxChunkBytes,
  pageLimit,
  swarmsPerPeer,
  unitBytes,
} from '../../protocol/limits.ts'
import { indexOnWire, listIndexOnWire, partIndexOnWire } from '../../protocol/peer-wire.ts'
import type { PeerFrame } from '../../protocol/peer-wire.ts'

const u32 = fc.nat(0xffffffff)
const shortId = fc.uint8Array({ minLength: 8, maxLength: 8 }).map(hexOf)
const asset = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(contentIdOfDigest)
const state = fc.constantFrom('gone' as const, 'whole' as const, 'part' as const)
const plain = (bytes: Uint8Array) => new Uint8Array(bytes)

const pass = fc.string({ maxLength: 300 })

/** Any frame that a peer may send. */
export const peerFrames: fc.Arbitrary<PeerFrame> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.constant(1),
    proofs: fc.array(shortId, { maxLength: swarmsPerPeer }),
    pass,
  }),
  fc.record({ type: fc.constant('pass' as const), pass }),
  fc.record({ type: fc.constant('word' as const), envelope: pass }),
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
        fc.constantFrom(listIndexOnWire, partIndexOnWire),
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

function clearAfter(bits: Uint8Array, count: number): Uint8Array {
  const spare = bits.length * 8 - count
  const last = bits.length - 1
  if (spare > 0) bits[last] = (bits[last] ?? 0) & (0xff << spare)
  return bits
}
