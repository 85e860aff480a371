import type { KeyId } from '../../protocol/ids.ts'
import { keyIdOf, signEnvelope } from '../../protocol/signature.ts'
import type { PublicKey, Role } from '../../protocol/signature.ts'
import { base64Of, bytesOfBase64, bytesOfHex, concatBytes, utf8 } from '../../protocol/bytes.ts'

export interface TestKey {
  readonly id: KeyId
  readonly publicKey: PublicKey
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
}

/** PKCS #8 around a raw Ed25519 seed (RFC 8410 section 7). */
const pkcs8Head = bytesOfHex('302e020100300506032b657004220420')

/** A key that is the same in every run: its seed is one byte, 32 times. */
export async function testKey(seed: number): Promise<TestKey> {
  const der = concatBytes([pkcs8Head, new Uint8Array(32).fill(seed)])
  const privateKey = await crypto.subtle.importKey('pkcs8', der, 'Ed25519', true, ['sign'])
  const { x = '' } = await crypto.subtle.exportKey('jwk', privateKey)
  const raw = bytesOfBase64(`${x.replaceAll('-', '+').replaceAll('_', '/')}=`)
  return {
    id: await keyIdOf(raw),
    publicKey: { algorithm: 'Ed25519', public: base64Of(raw) },
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', privateKey, message)),
  }
}

export function roleOf(keys: readonly TestKey[], threshold = 1): Role {
  return { keys: keys.map((key) => key.id), threshold }
}

export function keysOf(keys: readonly TestKey[]): Record<string, PublicKey> {
  return Object.fromEntries(keys.map((key) => [key.id, key.publicKey]))
}

export function signJson(type: string, body: unknown, keys: readonly TestKey[]): Promise<string> {
  return signEnvelope(type, utf8(JSON.stringify(body)), keys)
}

/** The body of a root with one key a role; `fields` take the place of what it would say. */
export function rootOf(
  site: string,
  [root, head, fresh, token]: readonly [TestKey, TestKey, TestKey, TestKey],
  fields: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    site,
    version: 1,
    created: 1_600_000_000,
    expires: 4_000_000_000,
    floor: 0,
    freshSeconds: 86_400,
    keys: keysOf([root, head, fresh, token]),
    roles: {
      root: roleOf([root]),
      head: roleOf([head]),
      delegates: [],
      fresh: roleOf([fresh]),
      live: [],
      token: roleOf([token]),
    },
    ...fields,
  }
}
