import { createPrivateKey, sign } from 'node:crypto'
import { parseRoot } from '../../protocol/manifest.ts'
import { utf8 } from '../../protocol/bytes.ts'
import type { PassTrust } from '../../protocol/pass.ts'
import { passTrustOf, passType } from '../../protocol/pass.ts'
import type { TestKey } from './signers.ts'
import { roleOf, rootOf, testKey } from './signers.ts'

const [rootKey, headKey, freshKey] = await Promise.all([testKey(1), testKey(2), testKey(3)])

/** The key that signs the passes of the site in the tests. */
export const tokenKey = await testKey(4)
export const passSite = '0123456789abcdef0123456789abcdef'
export const passNow = 1_800_000_000

/** What a root says of passes that names these keys for them. */
export function trustOf(keys: readonly TestKey[] = [tokenKey], threshold = 1): PassTrust {
  const body = rootOf(passSite, [rootKey, headKey, freshKey, tokenKey])
  const roles = { ...(body['roles'] as object), token: roleOf(keys, threshold) }
  const named = { ...(body['keys'] as object), ...Object.fromEntries(keys.map(({ id, publicKey }) => [id, publicKey])) }
  return passTrustOf(parseRoot(utf8(JSON.stringify({ ...body, keys: named, roles }))))
}

export function base64Url(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url')
}

/** Claims of a pass that holds at `passNow` for the certificate of this fingerprint. */
export function claimsOf(fingerprint: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    iss: 'https://www.example.org/',
    aud: passSite,
    iat: passNow,
    exp: passNow + 600,
    jti: '1',
    sid: '2',
    scp: ['/'],
    cnf: { 'x5t#S256': base64Url(Buffer.from(fingerprint, 'hex')) },
    ...fields,
  }
}

const seedOfToken = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, 4)])

/** A good pass of the tests' site, or one with these claims. */
export function passFor(fingerprint: string, fields: Record<string, unknown> = {}): string {
  const header = base64Url(JSON.stringify({ alg: 'EdDSA', typ: passType }))
  const signed = `${header}.${base64Url(JSON.stringify(claimsOf(fingerprint, fields)))}`
  const key = createPrivateKey({ key: seedOfToken, format: 'der', type: 'pkcs8' })
  return `${signed}.${base64Url(sign(null, Buffer.from(signed), key))}`
}

/** A token with these very claims, signed by this key, whatever its header says. */
export async function tokenOf(
  claims: unknown,
  key: TestKey = tokenKey,
  header: unknown = { alg: 'EdDSA', typ: passType },
): Promise<string> {
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`
  return `${signed}.${base64Url(await key.sign(utf8(signed)))}`
}
