import type { KeyObject } from 'node:crypto'
import { createPrivateKey, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { passSeconds } from '../protocol/limits.ts'
import { parsePass, passType } from '../protocol/pass.ts'

/** What a pass says. */
export interface PassOptions {
  /** The site's token key, Ed25519: `token.key` of its key folder, as PKCS#8 in PEM or as a private KeyObject. */
  readonly key: string | KeyObject
  /** The site's id, 32 hex digits, as in `site.json` of its key folder. */
  readonly site: string
  /** SHA-256 of the visitor's DTLS certificate, 64 lower-case hex digits, as its page sent it. */
  readonly fingerprint: string
  /** The sections whose swarms the visitor may join, 1 to 16 path prefixes that the site publishes. */
  readonly sections: readonly string[]
  /** Who mints it, told to whoever reads it: the URL of the site. 1 to 256 characters. */
  readonly issuer: string
  /** Random and new for each session, 1 to 64 characters. Default: drawn for this pass. */
  readonly session?: string | undefined
  /** Seconds for which it holds, 1 to 600. Default 600. */
  readonly seconds?: number | undefined
  /** Seconds since 1970. Default: now. */
  readonly now?: number | undefined
}

/**
 * Mints a pass with which one visitor may join the swarms of some sections for some minutes: a JWT (RFC 7519) signed
 * by EdDSA (RFC 8037), bound to the visitor's DTLS certificate (`cnf`, RFC 7800). For a site whose own backend decides
 * who may join; `createOrigin` gives a pass to everybody.
 *
 * @throws TypeError or RangeError where an option cannot be used
 */
export async function mintPass(options: PassOptions): Promise<string> {
  const { fingerprint, sections, issuer, site } = options
  const { session = randomUUID(), seconds = passSeconds, now = Date.now() / 1000 } = options
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > passSeconds) {
    throw new RangeError(`Cannot mint pass: seconds not 1 to ${passSeconds}`)
  }
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw new TypeError('Cannot mint pass: the fingerprint is no SHA-256 in hex')
  const issued = Math.floor(now)
  const thumbprint = Buffer.from(fingerprint, 'hex').toString('base64url')
  const pass = await new SignJWT({ sid: session, scp: [...sections], cnf: { 'x5t#S256': thumbprint } })
    .setProtectedHeader({ alg: 'EdDSA', typ: passType })
    .setIssuer(issuer)
    .setAudience(site)
    .setIssuedAt(issued)
    .setExpirationTime(issued + seconds)
    .setJti(randomUUID())
    .sign(keyOf(options.key))
  try {
    parsePass(pass) // what this writes, every client must be able to read
  } catch (cause) {
    throw new TypeError('Cannot mint pass: an option has not its form', { cause })
  }
  return pass
}

function keyOf(key: string | KeyObject): KeyObject {
  const made = typeof key === 'string' ? createPrivateKey(key) : key
  if (made.type !== 'private' || made.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('Cannot mint pass: not a private Ed25519 key')
  }
  return made
}
