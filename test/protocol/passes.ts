import type { Root } from '../../protocol/manifest.ts'
import { parseRoot } from '../../protocol/manifest.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { passType } from '../../protocol/pass.ts'
import type { TestKey } from './signers.ts'
import { roleOf, rootOf, testKey } from './signers.ts'

const [rootKey, headKey, freshKey] = await Promise.all([testKey(1), testKey(2), testKey(3)])

/** The key that signs the passes of the site in the tests. */
export const tokenKey = await testKey(4)
export const passSite = '0123456789abcdef0123456789abcdef'
export const passNow = 1_800_000_000

/** A root that names these keys for passes. */
export function passRoot(keys: readonly TestKey[] = [tokenKey], threshold = 1): Root {
  const body = rootOf(passSite, [rootKey, headKey, freshKey, tokenKey])
  const roles = { ...(body['roles'] as object), token: roleOf(keys, threshold) }
  const named = { ...(body['keys'] as object), ...Object.fromEntries(keys.map(({ id, publicKey }) => [id, publicKey])) }
  return parseRoot(utf8(JSON.stringify({ ...body, keys: named, roles })))
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

/** A token with these very claims, signed by this key, whatever its header says. */
export async function tokenOf(
  claims: unknown,
  key: TestKey = tokenKey,
  header: unknown = { alg: 'EdDSA', typ: passType },
): Promise<string> {
  const signed = `${base64Url(JSON.stringify(header))}.${base64Url(JSON.stringify(claims))}`
  return `${signed}.${base64Url(await key.sign(utf8(signed)))}`
}
