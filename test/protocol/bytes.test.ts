import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  base64Of,
  ByteReader,
  ByteWriter,
  bytesOfBase64,
  bytesOfHex,
  concatBytes,
  hexOf,
  isSameBytes,
  textOf,
  utf8,
} from '../../protocol/bytes.ts'
import { refusalOf } from './refusal.ts'

describe('base64', () => {
  test('bytesOfBase64() gives back what base64Of() took, as Node spells it', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(base64Of(bytes)).toBe(Buffer.from(bytes).toString('base64'))
        expect(bytesOfBase64(base64Of(bytes))).toEqual(new Uint8Array(bytes))
      }),
    )
  })

  test('base64Of() takes more bytes than a function call takes arguments', () => {
    expect(base64Of(new Uint8Array(1_000_000)).length).toBe(1_333_336)
  })

  test.each(['A', 'AA', 'AAA', 'AB==', 'AAB=', ' AAAA', 'AAAA\n', 'AA==AAAA', '====', 'AA-_', '\u00e4AAA', 'AAAA='])(
    'bytesOfBase64() refuses %j, so that one value has one spelling',
    (text) => {
      expect(refusalOf(() => bytesOfBase64(text))).toBe('malformed')
    },
  )

  test('bytesOfBase64() throws nothing but a ProtocolError', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void refusalOf(() => bytesOfBase64(text))))
  })
})

describe('hex', () => {
  test('bytesOfHex() gives back what hexOf() took', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(bytesOfHex(hexOf(bytes))).toEqual(new Uint8Array(bytes))
      }),
    )
  })

  test.each(['a', 'AA', '0x', 'zz', ' 00', '00\n', '+1'])('bytesOfHex() refuses %j', (text) => {
    expect(refusalOf(() => bytesOfHex(text))).toBe('malformed')
  })
})

describe('textOf', () => {
  test.each(['ff', 'c080', 'eda080', 'f4908080', 'c3'])('refuses %s, which is not UTF-8', (hex) => {
    expect(refusalOf(() => textOf(bytesOfHex(hex)))).toBe('malformed')
  })

  test('keeps a byte order mark, so that no two bodies read alike', () => {
    expect(textOf(bytesOfHex('efbbbf61'))).toBe('\ufeffa')
  })
})

describe('ByteReader', () => {
  test('reads back what ByteWriter wrote', () => {
    const number = (bits: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(bits) - 1n }).map(Number)
    fc.assert(
      fc.property(number(8), number(16), number(32), number(53), fc.uint8Array(), (one, two, four, eight, rest) => {
        const writer = new ByteWriter(15 + rest.length).u8(one).u16(two).u32(four).u64(eight).put(rest)
        const reader = new ByteReader(writer.bytes)
        expect([reader.u8(), reader.u16(), reader.u32(), reader.u64()]).toEqual([one, two, four, eight])
        expect(new Uint8Array(reader.rest())).toEqual(new Uint8Array(rest))
        reader.end()
      }),
    )
  })

  test('refuses every read past the end and stays where it was', () => {
    for (const read of ['u8', 'u16', 'u32', 'u64'] as const) {
      const reader = new ByteReader(new Uint8Array(0))
      expect(refusalOf(() => reader[read]())).toBe('malformed')
    }
    const reader = new ByteReader(new Uint8Array([1, 2]))
    expect(refusalOf(() => reader.take(3))).toBe('malformed')
    expect(reader.u16()).toBe(0x0102)
  })

  test('reads a view that begins within its buffer', () => {
    expect(new ByteReader(new Uint8Array([9, 9, 1, 2]).subarray(2)).u16()).toBe(0x0102)
  })

  test('refuses a 64-bit number that a JavaScript integer cannot hold', () => {
    expect(refusalOf(() => new ByteReader(bytesOfHex('0020000000000000')).u64())).toBe('malformed')
    expect(new ByteReader(bytesOfHex('001fffffffffffff')).u64()).toBe(Number.MAX_SAFE_INTEGER)
  })

  test('end() refuses what was not read', () => {
    expect(refusalOf(() => new ByteReader(new Uint8Array(1)).end())).toBe('malformed')
  })
})

test('concatBytes() and isSameBytes() agree on equal parts', () => {
  expect(isSameBytes(concatBytes([utf8('ab'), new Uint8Array(0), utf8('c')]), utf8('abc'))).toBe(true)
  expect(isSameBytes(utf8('abc'), utf8('abd'))).toBe(false)
  expect(isSameBytes(utf8('abc'), utf8('ab'))).toBe(false)
})
