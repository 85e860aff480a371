import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { base64Of, bytesOfBase64, bytesOfHex, textOf, utf8 } from '../../protocol/bytes.ts'
import { parseJson } from '../../protocol/json.ts'
import { isSignedBy, openEnvelope, preAuthEncoding } from '../../protocol/signature.ts'
import { readVector } from './read-vector.ts'
import { laterRefusalOf, refusalOf } from './refusal.ts'
import { keysOf, roleOf, testKey } from './signers.ts'

// What others have written down. Each file names its source, its commit and its licence.

const wycheproof = readVector<{
  groups: {
    public: string
    tests: { id: number; comment: string; message: string; signature: string; result: 'valid' | 'invalid' }[]
  }[]
}>('wycheproof-ed25519')

describe('Wycheproof', () => {
  test('isSignedBy() says of each of the 151 Ed25519 signatures what it should', async () => {
    const wrong: string[] = []
    let count = 0
    for (const { public: raw, tests } of wycheproof.groups) {
      const key = { algorithm: 'Ed25519', public: base64Of(bytesOfHex(raw)) } as const
      for (const { id, comment, message, signature, result } of tests) {
        count += 1
        const holds = await isSignedBy(key, bytesOfHex(signature), bytesOfHex(message))
        if (holds !== (result === 'valid')) wrong.push(`${id} ${comment}: ${result}`)
      }
    }
    expect(wrong).toEqual([])
    expect(count).toBe(151)
  })

  test('openEnvelope() refuses a signature of any length but 64 bytes before it is checked', async () => {
    const one = await testKey(1)
    const lengths = new Set<number>()
    for (const { signature } of wycheproof.groups.flatMap(({ tests }) => tests)) {
      if (signature.length === 128) continue
      lengths.add(signature.length / 2)
      const text = JSON.stringify({
        payloadType: 'text/plain',
        payload: '',
        signatures: [{ keyid: one.id, sig: base64Of(bytesOfHex(signature)) }],
      })
      const refusal = await laterRefusalOf(() => openEnvelope(text, 'text/plain', 0, roleOf([one]), keysOf([one])))
      // 65 and 66 bytes are as many characters of base64 as 64.
      expect(refusal, signature).toBe(
        signature.length / 2 === 65 || signature.length / 2 === 66 ? 'untrusted' : 'malformed',
      )
    }
    expect(lengths.size).toBeGreaterThan(3)
  })
})

describe('the DSSE protocol', () => {
  const vector = readVector<{
    type: string
    body: string
    encoded: string
    key: JsonWebKey
    envelope: string
  }>('dsse')

  test('preAuthEncoding() gives the bytes of the vector, over which its signature holds', async () => {
    const bytes = preAuthEncoding(vector.type, utf8(vector.body))
    expect(textOf(bytes)).toBe(vector.encoded)
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('jwk', vector.key, algorithm, false, ['verify'])
    const { payload, signatures } = JSON.parse(vector.envelope)
    expect(textOf(bytesOfBase64(payload))).toBe(vector.body)
    expect(await crypto.subtle.verify(algorithm, key, bytesOfBase64(signatures[0].sig), bytes)).toBe(true)
  })

  // DSSE lets the keyid out; then any key might have signed, by any algorithm.
  test('openEnvelope() refuses its envelope, which names no key', async () => {
    const one = await testKey(1)
    const open = () => openEnvelope(vector.envelope, vector.type, 100, roleOf([one]), keysOf([one]))
    expect(await laterRefusalOf(open)).toBe('malformed')
  })
})

describe('JSONTestSuite', () => {
  const { cases } = readVector<{ cases: ({ name: string; times?: number } & ({ text: string } | { hex: string }))[] }>(
    'json-test-suite',
  )
  const outcomes = new Map(
    cases.map((given) => {
      const bytes = 'hex' in given ? bytesOfHex(given.hex) : utf8(given.text.repeat(given.times ?? 1))
      return [given.name, refusalOf(() => parseJson(v.unknown(), bytes, 1_000_000, 'case'))] as const
    }),
  )
  const notSo = (prefix: string, outcome: string) =>
    [...outcomes].filter(([name, actual]) => name.startsWith(prefix) && actual !== outcome).map(([name]) => name)

  test('parseJson() reads all that is JSON', () => {
    expect(outcomes.size).toBe(318)
    expect(notSo('y_', 'accepted')).toEqual([])
  })

  test('parseJson() refuses all that is not', () => {
    expect(notSo('n_', 'malformed')).toEqual([])
  })

  test('parseJson() reads or refuses where parsers differ, and refuses all that is not UTF-8', () => {
    expect([...new Set(outcomes.values())].toSorted()).toEqual(['accepted', 'malformed'])
    const accepted = cases.filter((given) => 'hex' in given && outcomes.get(given.name) === 'accepted')
    expect(accepted.map(({ name }) => name)).toEqual([])
  })
})
