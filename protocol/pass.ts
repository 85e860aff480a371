import * as v from 'valibot'
import type { Bytes } from './bytes.ts'
import { bytesOfBase64, bytesOfHex, hexOf, utf8 } from './bytes.ts'
import type { ProtocolErrorCode } from './errors.ts'
import { ProtocolError } from './errors.ts'
import type { SiteId } from './ids.ts'
import { siteIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import { clockSkewSeconds, passLimitBytes, passSeconds, pathLimit, sectionLimit } from './limits.ts'
import type { Root } from './manifest.ts'
import { list, text, whole } from './schemas.ts'

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

/** Whose passes are believed. */
export interface PassTrust {
  readonly site: SiteId
  /** Raw Ed25519 keys, 64 hex digits each. Any of them may have signed. */
  readonly keys: readonly string[]
}

/**
 * A whole pass. Its header is `{"alg":"EdDSA","typ":"nearhand-pass+jwt"}` to the byte: no `kid`, `jwk` or `x5u` by which a
 * token could choose its own key, and no other algorithm. A signature of 64 bytes has one spelling.
 */
const form = /^(eyJhbGciOiJFZERTQSIsInR5cCI6Im5lYXJoYW5kLXBhc3Mrand0In0\.([\w-]+))\.([\w-]{85}[AQgw])$/

const claimsSchema = v.strictObject({
  iss: text(256, 1),
  aud: siteIdSchema,
  iat: whole(),
  exp: whole(),
  jti: text(64, 1),
  sid: text(64, 1),
  scp: list(text(pathLimit, 1), sectionLimit, 1),
  cnf: v.strictObject({ 'x5t#S256': v.pipe(v.string(), v.regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/)) }),
})

/** Reads a pass without believing it. */
export function parsePass(token: string): UncheckedPass {
  if (token.length > passLimitBytes) refuse('oversized', 'too long')
  const [, signed, claims, signature] = form.exec(token) ?? []
  if (signed === undefined || claims === undefined || signature === undefined)
    return refuse('malformed', 'not its form')
  const { aud, iat, exp, scp, cnf } = parseJson(claimsSchema, bytesOfBase64Url(claims), passLimitBytes, 'pass')
  const fingerprint = hexOf(bytesOfBase64Url(cnf['x5t#S256']))
  return {
    pass: { site: aud, issued: iat, expires: exp, sections: scp, fingerprint },
    signed: utf8(signed),
    signature: bytesOfBase64Url(signature),
  }
}

/** Throws unless a pass is of this site and holds at this time. @param now seconds since 1970 */
export function assertPass({ site, issued, expires }: Pass, ofSite: SiteId, now: number): void {
  // Cross-site replay: one owner may sign for several sites with one key.
  if (site !== ofSite) refuse('foreign', 'for another site')
  // A long life would make of a stolen or unwanted pass a lasting one, whatever minted it.
  if (expires - issued > passSeconds) refuse('foreign', 'its life is long')
  if (issued > now + clockSkewSeconds || expires <= now - clockSkewSeconds) refuse('expired', 'not of this time')
}

/** What a root says of passes. One signature is all that a JWT holds, so a role that asks for more has no keys. */
export function passTrustOf({ site, roles: { token }, keys }: Root): PassTrust {
  const known = token.threshold > 1 ? [] : token.keys.flatMap((id) => keys[id] ?? [])
  return { site, keys: known.map((key) => hexOf(bytesOfBase64(key.public))) }
}

/**
 * Opens the pass of a peer, offline: it must be of this site, hold now, name the certificate that the peer connected
 * with, and be signed by a key that the root names for passes. Throws a ProtocolError otherwise.
 *
 * @param fingerprint of the peer's DTLS certificate. A pass that was heard or stolen is useless with another one.
 * @param now seconds since 1970
 */
export async function openPass(token: string, trust: PassTrust, fingerprint: string, now: number): Promise<Pass> {
  const unchecked = parsePass(token)
  assertPass(unchecked.pass, trust.site, now)
  if (unchecked.pass.fingerprint !== fingerprint) refuse('foreign', 'for another certificate')
  return checkSignature(unchecked, trust)
}

/**
 * Opens a pass of this very device, which says what its visitor may have. Whoever could show us another's pass here, a
 * script of the page, could read the store without us: so its certificate is not asked for.
 *
 * @param now seconds since 1970
 */
export async function openOwnPass(token: string, trust: PassTrust, now: number): Promise<Pass> {
  const unchecked = parsePass(token)
  assertPass(unchecked.pass, trust.site, now)
  return checkSignature(unchecked, trust)
}

async function checkSignature({ pass, signed, signature }: UncheckedPass, trust: PassTrust): Promise<Pass> {
  for (const raw of trust.keys) {
    const key = await crypto.subtle.importKey('raw', bytesOfHex(raw), 'Ed25519', false, ['verify'])
    if (await crypto.subtle.verify('Ed25519', key, signature, signed)) return pass
  }
  return refuse('untrusted', 'of no key of the site')
}

function refuse(code: ProtocolErrorCode, why: string): never {
  throw new ProtocolError(code, `Cannot take pass: ${why}`)
}

/** Base64 for URLs without padding (RFC 4648 section 5). */
function bytesOfBase64Url(spelled: string): Bytes {
  const digits = spelled.replaceAll('-', '+').replaceAll('_', '/')
  if (digits.length % 4 === 1) refuse('malformed', 'not base64url') // the one length for which atob throws
  return Uint8Array.from(atob(digits), (character) => character.charCodeAt(0))
}
