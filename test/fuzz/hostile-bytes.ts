import fc from 'fast-check'
import { utf8 } from '../../protocol/bytes.ts'
import { encodeFrame } from '../../protocol/peer-wire.ts'
import { peerFrames } from '../protocol/peer-frames.ts'

type Edit = readonly ['flip' | 'cut' | 'insert' | 'repeat', at: number, byte: number]

/** Often one of the first, where a frame says what it is; often a single bit. */
const place = fc.oneof(fc.nat(15), fc.nat(0xffffff))
const change = fc.oneof(fc.constantFrom(1, 2, 4, 8, 16, 32, 64, 128), fc.nat(255))
const edits: fc.Arbitrary<readonly Edit[]> = fc.array(
  fc.tuple(fc.constantFrom('flip', 'cut', 'insert', 'repeat'), place, change),
  { maxLength: 3 },
)

/** What is almost right: these bytes with a few bytes changed, lost, added or said twice. */
export function almost(given: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  return fc.tuple(given, edits).map(([bytes, changes]) => changes.reduce(edited, bytes))
}

/** Messages of a peer: bytes of any kind, of a known type, and frames that are right or almost. */
export const hostileFrames: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.nat(12), fc.uint8Array({ maxLength: 80 }))
      .map(([type, rest]) => Uint8Array.of(type, ...rest)),
  },
  { weight: 4, arbitrary: almost(peerFrames.map(encodeFrame)) },
)

/** Texts that are almost what a parser takes. */
export function almostTexts(texts: readonly string[]): fc.Arbitrary<string> {
  return almost(fc.constantFrom(...texts.map(utf8))).map((bytes) => new TextDecoder().decode(bytes))
}

function edited(bytes: Uint8Array, [kind, at, byte]: Edit): Uint8Array {
  const where = at % (bytes.length + 1)
  const [before, after] = [bytes.subarray(0, where), bytes.subarray(where)]
  switch (kind) {
    case 'flip':
      return Uint8Array.of(...before, ...after.subarray(0, 1).map((old) => old ^ (byte || 1)), ...after.subarray(1))
    case 'cut':
      return byte < 128 ? before : Uint8Array.of(...before, ...after.subarray(1))
    case 'insert':
      return Uint8Array.of(...before, byte, ...after)
    case 'repeat':
      return Uint8Array.of(...bytes, ...after)
  }
}
