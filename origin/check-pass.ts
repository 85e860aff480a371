import { createPublicKey, verify } from 'node:crypto'
import { ProtocolError } from '../protocol/errors.ts'
import type { Pass, PassTrust } from '../protocol/pass.ts'
import { assertPass, parsePass } from '../protocol/pass.ts'

/** Reads a pass of this site that holds now, or throws a ProtocolError. @param now seconds since 1970 */
export type CheckPass = (token: string, now: number) => Pass

/**
 * Checks passes as peers do, but at once: a tracker that waited would have to put in line what a connection says
 * meanwhile. The certificate is compared with what the connection signals later.
 */
export function createPassCheck(trust: PassTrust): CheckPass {
  const keys = trust.keys.map((key) => {
    const x = Buffer.from(key, 'hex').toString('base64url')
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  })
  return (token, now) => {
    const { pass, signed, signature } = parsePass(token)
    assertPass(pass, trust.site, now)
    if (keys.some((key) => verify(null, signed, key, signature))) return pass
    throw new ProtocolError('untrusted', 'Cannot take pass: signed by no key of the site')
  }
}
