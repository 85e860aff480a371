import * as v from 'valibot'
import type { Bytes } from './bytes.ts'
import { bytesOfBase64, hexOf, utf8 } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import type { SiteId } from './ids.ts'
import { siteIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import { clockSkewSeconds, passLimitBytes, passSeconds, pathLimit, sectionLimit } from './limits.ts'
import type { Root } from './manifest.ts'
import { list, text, whole } from './schemas.ts'
import type { PublicKey } from './signature.ts'
import { isSignedBy } from './signature.ts'

/** The `typ` of a pass, so that no other token of the same keys can stand for one (RFC 8725 section 3.11). */
export const passType = 'nearhand-pass+jwt'

/** What a visitor may join, for a few minutes, with one certificate. On the wire a JWT (RFC 7519) in compact form. */
export interface Pass {
  readonly site: SiteId
  /** Seconds since 1970. */
  readonly issued: number
  readonly expires: number
  /** The sections whose swarms it opens. */
  readonly sections: readonly string[]
  /** SHA-256 of the only DTLS certificate that it holds for, 64 lower-case hex digits. */
  readonly fingerprint: string
}

/** A pass that nobody should believe yet. */
export interface UncheckedPass {
  readonly pass: Pass
  readonly signed: Bytes
  readonly signature: Bytes
}

/** The whole header: no `kid`, `jwk` or `x5u` by which a token could choose its own key, and no other algorithm. */
const headerSchema = v.strictObject({ alg: v.literal('EdDSA'), typ: v.literal(passType) })

const claimsSchema = v.strictObject({
  iss: text(256, 1),
  aud: siteIdSchema,
  iat: whole(),
  exp: whole(),
  jti: text(64, 1),
  sid: text(64, 1),
  scp: list(text(pathLimit, 1), sectionLimit, 1),
  cnf: v.strictObject({ 'x5t#S256': text(43, 43) }),
})

/** Reads a pass without believing it. */
export function parsePass(token: string): UncheckedPass {
  if (token.length > passLimitBytes) throw new ProtocolError('oversized', `Cannot read pass: over ${passLimitBytes}`)
  const [, header = '', claims = '', signature = ''] = /^([\w-]+)\.([\w-]+)\.([\w-]{86})$/.exec(token) ?? []
  parseJson(headerSchema, bytesOfBase64Url(header), passLimitBytes, 'pass')
  const { aud, iat, exp, scp, cnf } = parseJson(claimsSchema, bytesOfBase64Url(claims), passLimitBytes, 'pass')
  return {
    pass: {
      site: aud,
      issued: iat,
      expires: exp,
      sections: scp,
      fingerprint: hexOf(bytesOfBase64Url(cnf['x5t#S256'])),
    },
    signed: utf8(`${header}.${claims}`),
    signature: bytesOfBase64Url(signature),
  }
}

/** Throws unless a pass is of this site and holds at this time. @param now seconds since 1970 */
export function assertPass(pass: Pass, site: SiteId, now: number): void {
  // Cross-site replay: one owner may sign for several sites with one key.
  if (pass.site !== site) throw new ProtocolError('foreign', 'Cannot take pass: made for another site')
  // A long life would make of a stolen or unwanted pass a lasting one, whatever minted it.
  if (pass.expires - pass.issued > passSeconds) throw new ProtocolError('foreign', 'Cannot take pass: its life is long')
  if (pass.issued > now + clockSkewSeconds) throw new ProtocolError('expired', 'Cannot take pass: from the future')
  if (pass.expires <= now - clockSkewSeconds) throw new ProtocolError('expired', 'Cannot take pass: it expired')
}

/** The keys that may sign a pass. One signature is all that a JWT holds, so a role that asks for more has none. */
export function tokenKeysOf({ roles: { token }, keys }: Root): readonly PublicKey[] {
  return token.threshold > 1 ? [] : token.keys.flatMap((id) => keys[id] ?? [])
}

/**
 * Opens the pass of a peer, offline: it must be of this site, hold now, name the certificate that the peer connected
 * with, and be signed by a key that the root names for passes. Throws a ProtocolError otherwise.
 *
 * @param fingerprint of the peer's DTLS certificate. A pass that was heard or stolen is useless with another one.
 * @param now seconds since 1970
 */
export async function openPass(token: string, root: Root, fingerprint: string, now: number): Promise<Pass> {
  const { pass, signed, signature } = parsePass(token)
  assertPass(pass, root.site, now)
  if (pass.fingerprint !== fingerprint) {
    throw new ProtocolError('foreign', 'Cannot open pass: made for another certificate')
  }
  for (const key of tokenKeysOf(root)) if (await isSignedBy(key, signature, signed)) return pass
  throw new ProtocolError('untrusted', 'Cannot open pass: signed by no key of the site')
}

/** Base64 for URLs without padding (RFC 4648 section 5), canonical only. */
function bytesOfBase64Url(spelled: string): Bytes {
  return bytesOfBase64(spelled.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat(-spelled.length & 3))
}
