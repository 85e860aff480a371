import { describe, expect, test } from 'vitest'
import { base64Of, bytesOfBase64, bytesOfHex, hexOf, textOf, utf8 } from '../../protocol/bytes.ts'
import { keyIdOf, openEnvelope, preAuthEncoding, signEnvelope } from '../../protocol/signature.ts'
import { readVector } from './read-vector.ts'
import { laterRefusalOf } from './refusal.ts'
import { keysOf, roleOf, testKey } from './signers.ts'

const vector = readVector<{
  preAuthEncoding: { type: string; body: string; encoded: string }
  keys: Record<string, { seed: string; public: string; id: string }>
  type: string
  body: string
  signedBytesHex: string
  envelope: string
}>('envelope')

const [one, two, three] = await Promise.all([testKey(1), testKey(2), testKey(3)])
const signers = [two, three]
const body = utf8(vector.body)
const limit = 100
const open = (text: string, keys = signers, threshold = 1, type = vector.type) =>
  openEnvelope(text, type, limit, roleOf(keys, threshold), keysOf(keys))

describe('preAuthEncoding', () => {
  test('is that of the DSSE test vector', () => {
    const { type, body: text, encoded } = vector.preAuthEncoding
    expect(textOf(preAuthEncoding(type, utf8(text)))).toBe(encoded)
  })

  test('counts bytes, not characters', () => {
    expect(textOf(preAuthEncoding('\u00e4', utf8('\u20ac')))).toBe('DSSEv1 2 \u00e4 3 \u20ac')
  })
})

describe('envelope', () => {
  test('signEnvelope() writes the vector', async () => {
    expect([one, two, three].map(({ id, publicKey }) => [id, publicKey.public])).toEqual(
      ['root', 'head', 'fresh'].map((role) => [vector.keys[role]?.id, vector.keys[role]?.public]),
    )
    expect(hexOf(preAuthEncoding(vector.type, body))).toBe(vector.signedBytesHex)
    expect(await signEnvelope(vector.type, body, signers)).toBe(vector.envelope)
    expect(await keyIdOf(bytesOfBase64(one.publicKey.public))).toBe(one.id)
  })

  test('openEnvelope() gives the bytes that were signed', async () => {
    expect(await open(vector.envelope, signers, 2)).toEqual(body)
    expect(await openEnvelope(utf8(vector.envelope), vector.type, limit, roleOf(signers), keysOf(signers))).toEqual(
      body,
    )
  })

  test('openEnvelope() refuses the envelope with any one byte changed', async () => {
    const bytes = utf8(vector.envelope)
    const accepted: number[] = []
    for (const [at, byte] of bytes.entries()) {
      for (const change of [1, 0x20, 0x80]) {
        const changed = bytes.with(at, byte ^ change)
        const refusal = await laterRefusalOf(() =>
          openEnvelope(changed, vector.type, limit, roleOf(signers, 2), keysOf(signers)),
        )
        if (refusal === 'accepted') accepted.push(at)
      }
    }
    expect(accepted).toEqual([])
  })

  test('openEnvelope() refuses another type', async () => {
    expect(await laterRefusalOf(() => open(vector.envelope, signers, 1, 'text/html'))).toBe('foreign')
    const relabelled = vector.envelope.replace('text/plain', 'text/html')
    expect(await laterRefusalOf(() => open(relabelled, signers, 1, 'text/html'))).toBe('untrusted')
  })

  test('openEnvelope() counts a key once towards a threshold', async () => {
    const text = await signEnvelope(vector.type, body, [two, two])
    expect(await laterRefusalOf(() => open(text, signers, 2))).toBe('untrusted')
  })

  test('openEnvelope() counts no key that is not of the role, and none that it does not know', async () => {
    const text = await signEnvelope(vector.type, body, [one])
    const role = roleOf(signers)
    expect(await laterRefusalOf(() => openEnvelope(text, vector.type, limit, role, keysOf([one, two])))).toBe(
      'untrusted',
    )
    expect(await laterRefusalOf(() => openEnvelope(text, vector.type, limit, roleOf([one]), {}))).toBe('untrusted')
  })

  test('openEnvelope() opens what enough keys signed, whatever else stands beside them', async () => {
    const text = await signEnvelope(vector.type, body, [one, two])
    expect(await open(text)).toEqual(body)
  })

  test('openEnvelope() refuses a body over its limit before it checks anything', async () => {
    const long = await signEnvelope(vector.type, new Uint8Array(limit + 1), signers)
    expect(await laterRefusalOf(() => open(long))).toBe('oversized')
    expect(await laterRefusalOf(() => open(' '.repeat(5000)))).toBe('oversized')
  })

  test('openEnvelope() refuses a key that is no key', async () => {
    for (const length of [31, 33]) {
      const publicKey = { algorithm: 'Ed25519', public: base64Of(new Uint8Array(length)) } as const
      const text = await signEnvelope(vector.type, body, [two])
      const refusal = await laterRefusalOf(() =>
        openEnvelope(text, vector.type, limit, roleOf([two]), { [two.id]: publicKey }),
      )
      expect(refusal).toBe('untrusted')
    }
  })

  // RFC 8032 section 5.1.7: S below the group's order, or one signature has many spellings.
  test('openEnvelope() refuses a signature with the order of the group added', async () => {
    const order = 2n ** 252n + 27742317777372353535851937790883648493n
    const raw = await two.sign(preAuthEncoding(vector.type, body))
    const scalar = BigInt(`0x${hexOf(raw.slice(32).toReversed())}`) + order
    const grown = bytesOfHex(scalar.toString(16).padStart(64, '0')).toReversed()
    const text = await signEnvelope(vector.type, body, [
      { id: two.id, sign: async () => new Uint8Array([...raw.slice(0, 32), ...grown]) },
    ])
    expect(await laterRefusalOf(() => open(text))).toBe('untrusted')
  })
})
