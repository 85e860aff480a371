import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createPassCheck } from '../../origin/check-pass.ts'
import { clockSkewSeconds, passLimitBytes, passSeconds } from '../../protocol/limits.ts'
import { openPass, parsePass, passType } from '../../protocol/pass.ts'
import { base64Url, claimsOf, passNow, trustOf, passSite, tokenKey, tokenOf } from './passes.ts'
import { readVector } from './read-vector.ts'
import { laterRefusalOf, refusalOf } from './refusal.ts'
import { testKey } from './signers.ts'

const vector = readVector<{ now: number; fingerprint: string; token: string; pass: object; refused: string[][] }>(
  'pass',
)
const { fingerprint } = vector
const otherKey = await testKey(9)
const trust = trustOf()
const header = { alg: 'EdDSA', typ: passType }

/** How a peer takes a token, and how the tracker does, which learns of the certificate later. */
async function refusals(token: string, now = passNow, of = trust): Promise<readonly string[]> {
  const check = createPassCheck(of)
  return [await laterRefusalOf(() => openPass(token, of, fingerprint, now)), refusalOf(() => check(token, now))]
}
const both = (code: string): readonly string[] => [code, code]

describe('pass', () => {
  test('openPass() reads the vector', async () => {
    expect(await openPass(vector.token, trust, fingerprint, vector.now)).toEqual(vector.pass)
    expect(createPassCheck(trust)(vector.token, vector.now)).toEqual(vector.pass)
    expect(await tokenOf(claimsOf(fingerprint))).toBe(vector.token)
  })

  test.each(vector.refused)('the vector of %s is refused as %s', async (_, code = '', token = '') => {
    expect(await refusals(token, vector.now)).toEqual(both(code))
  })

  test.each([
    ['another site', { aud: 'f'.repeat(32) }, 'foreign'],
    ['a list of sites', { aud: [passSite] }, 'malformed'],
    ['a time to come', { iat: passNow + clockSkewSeconds + 1, exp: passNow + 600 }, 'expired'],
    ['a time gone by', { iat: passNow - 900, exp: passNow - clockSkewSeconds }, 'expired'],
    ['a long life', { exp: passNow + passSeconds + 1 }, 'foreign'],
    ['no end', { exp: undefined }, 'malformed'],
    ['an end as text', { exp: String(passNow + 600) }, 'malformed'],
    ['an end beyond numbers', { exp: 1e300 }, 'malformed'],
    ['no sections', { scp: [] }, 'malformed'],
    ['sections as text', { scp: '/' }, 'malformed'],
    ['no certificate', { cnf: undefined }, 'malformed'],
    ['another confirmation', { cnf: { jkt: 'x'.repeat(43) } }, 'malformed'],
    ['a short thumbprint', { cnf: { 'x5t#S256': 'AA' } }, 'malformed'],
    ['a thumbprint with stray bits', { cnf: { 'x5t#S256': `${'A'.repeat(42)}B` } }, 'malformed'],
    ['a claim that we do not know', { admin: true }, 'malformed'],
    ['no session', { sid: '' }, 'malformed'],
  ])('is refused for %s, though the site signed it', async (_, fields, code) => {
    expect(await refusals(await tokenOf(claimsOf(fingerprint, fields)))).toEqual(both(code))
  })

  test('holds for clocks that differ, and not longer', async () => {
    expect(await refusals(vector.token, passNow - clockSkewSeconds)).toEqual(both('accepted'))
    expect(await refusals(vector.token, passNow + 600 + clockSkewSeconds - 1)).toEqual(both('accepted'))
    expect(await refusals(vector.token, passNow - clockSkewSeconds - 1)).toEqual(both('expired'))
    expect(await refusals(vector.token, passNow + 600 + clockSkewSeconds)).toEqual(both('expired'))
  })

  test('of another certificate is foreign', async () => {
    expect(await laterRefusalOf(() => openPass(vector.token, trust, 'f'.repeat(64), passNow))).toBe('foreign')
  })

  test.each([
    ['alg none', { ...header, alg: 'none' }],
    ['HS256', { ...header, alg: 'HS256' }],
    ['another type', { ...header, typ: 'JWT' }],
    ['a key of its own', { ...header, jwk: { kty: 'OKP', crv: 'Ed25519', x: base64Url(new Uint8Array(32)) } }],
    ['a key id', { ...header, kid: tokenKey.id }],
    ['a critical extension', { ...header, crit: ['b64'], b64: false }],
    ['no header', null],
  ])('with %s in the header is malformed, though the site signed it', async (_, other) => {
    expect(await refusals(await tokenOf(claimsOf(fingerprint), tokenKey, other))).toEqual(both('malformed'))
  })

  test('by HMAC with the public key as its secret is refused', async () => {
    const signed = `${base64Url(JSON.stringify({ alg: 'HS256', typ: passType }))}.${vector.token.split('.')[1]}`
    const mac = createHmac('sha512', Buffer.from(tokenKey.publicKey.public, 'base64')).update(signed).digest()
    expect(await refusals(`${signed}.${base64Url(mac)}`)).toEqual(both('malformed'))
  })

  test('by another key is untrusted, one of another role included', async () => {
    const byOther = await tokenOf(claimsOf(fingerprint), otherKey)
    expect(await refusals(byOther)).toEqual(both('untrusted'))
    expect(await refusals(await tokenOf(claimsOf(fingerprint), await testKey(2)))).toEqual(both('untrusted'))
    expect(await refusals(byOther, passNow, trustOf([tokenKey, otherKey]))).toEqual(both('accepted'))
    expect(await refusals(vector.token, passNow, trustOf([otherKey])), 'after rotation').toEqual(both('untrusted'))
    expect(await refusals(vector.token, passNow, trustOf([tokenKey, otherKey], 2))).toEqual(both('untrusted'))
  })

  test('is refused cut short anywhere', async () => {
    for (let length = 0; length < vector.token.length; length += 1) {
      expect(await refusals(vector.token.slice(0, length))).not.toContain('accepted')
    }
  })

  test('is refused with any one character changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(vector.token.length - 1),
        fc.string({ minLength: 1, maxLength: 1 }),
        async (at, other) => {
          const changed = vector.token.slice(0, at) + other + vector.token.slice(at + 1)
          if (changed !== vector.token) expect(await refusals(changed)).not.toContain('accepted')
        },
      ),
      { numRuns: 500 },
    )
  })

  test('over its limit is refused before anything is decoded', async () => {
    const token = await tokenOf(claimsOf(fingerprint, { iss: 'x'.repeat(passLimitBytes) }))
    expect(await refusals(token)).toEqual(both('oversized'))
  })

  test('parsePass() throws nothing but a ProtocolError, whatever the text', () => {
    const part = fc.oneof(fc.string(), fc.json().map(base64Url), fc.uint8Array().map(base64Url))
    const tokens = fc.oneof(
      fc.string(),
      fc.array(part, { maxLength: 5 }).map((parts) => parts.join('.')),
    )
    fc.assert(
      fc.property(tokens, (token) => void refusalOf(() => parsePass(token))),
      { numRuns: 3000 },
    )
  })
})
