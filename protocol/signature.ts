import * as v from 'valibot'
import type { Bytes } from './bytes.ts'
import { base64Of, bytesOfBase64, concatBytes, utf8 } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { contentIdOf } from './hash.ts'
import type { KeyId } from './ids.ts'
import { keyIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import { signatureLimit } from './limits.ts'
import { list, text } from './schemas.ts'

/** A public key as the root names it. The algorithm comes from here, never from a message. */
export interface PublicKey {
  readonly algorithm: 'Ed25519'
  /** Raw 32 bytes, base64. */
  readonly public: string
}

/** Who may sign an object of one role, and how many of them must. */
export interface Role {
  readonly keys: readonly KeyId[]
  readonly threshold: number
}

const publicKeyBytes = 32 // of Ed25519

const envelopeSchema = v.strictObject({
  payloadType: text(128),
  payload: v.string(),
  signatures: list(v.strictObject({ keyid: keyIdSchema, sig: text(88, 88) }), signatureLimit, 1),
})

/**
 * Pre-authentication encoding of the DSSE protocol, version 1: what is signed is type and body together, so
 * that an object of one role can never stand for one of another.
 * https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
 */
export function preAuthEncoding(type: string, body: Uint8Array): Bytes {
  const typeBytes = utf8(type)
  return concatBytes([utf8(`DSSEv1 ${typeBytes.length} `), typeBytes, utf8(` ${body.length} `), body])
}

/** Signs with any key that makes raw Ed25519 signatures (RFC 8032); gives the text of the DSSE envelope. */
export async function signEnvelope(
  type: string,
  body: Bytes,
  signers: readonly { id: KeyId; sign(message: Bytes): Promise<Uint8Array> }[],
): Promise<string> {
  const message = preAuthEncoding(type, body)
  const signatures: { keyid: KeyId; sig: string }[] = []
  for (const signer of signers) signatures.push({ keyid: signer.id, sig: base64Of(await signer.sign(message)) })
  return JSON.stringify({ payloadType: type, payload: base64Of(body), signatures })
}

/**
 * Opens an envelope: its signatures are checked over the very bytes that are handed back, which the caller then
 * parses. Throws a ProtocolError where fewer than the role's threshold of distinct keys signed.
 *
 * @param limit bytes of the body, checked before anything is decoded (endless data)
 */
export async function openEnvelope(
  envelope: string | Uint8Array,
  type: string,
  limit: number,
  role: Role,
  keys: Readonly<Record<string, PublicKey>>,
): Promise<Bytes> {
  const textLimit = Math.ceil((limit * 4) / 3) + 4096
  const parsed = parseJson(envelopeSchema, envelope, textLimit, 'envelope')
  if (parsed.payloadType !== type) {
    throw new ProtocolError('foreign', `Cannot open envelope: it holds ${parsed.payloadType} instead of ${type}`)
  }
  const body = bytesOfBase64(parsed.payload)
  if (body.length > limit) throw new ProtocolError('oversized', `Cannot open envelope: body over ${limit} bytes`)
  const message = preAuthEncoding(type, body)
  const signed = new Set<KeyId>() // distinct keys: one key twice must not reach a threshold of two
  for (const signature of parsed.signatures) {
    const key = Object.hasOwn(keys, signature.keyid) ? keys[signature.keyid] : undefined
    if (key === undefined || !role.keys.includes(signature.keyid)) continue
    if (await isSignedBy(key, bytesOfBase64(signature.sig), message)) signed.add(signature.keyid)
  }
  if (signed.size < role.threshold) {
    throw new ProtocolError('untrusted', `Cannot open envelope: ${signed.size} of ${role.threshold} signatures hold`)
  }
  return body
}

export async function keyIdOf(rawPublicKey: Bytes): Promise<KeyId> {
  return (await contentIdOf(rawPublicKey)) as string as KeyId
}

/** Whether one signature of one key holds over these bytes. */
export async function isSignedBy(key: PublicKey, signature: Bytes, message: Bytes): Promise<boolean> {
  const raw = bytesOfBase64(key.public)
  if (raw.length !== publicKeyBytes) return false
  const imported = await crypto.subtle.importKey('raw', raw, key.algorithm, false, ['verify'])
  return crypto.subtle.verify(key.algorithm, imported, signature, message)
}
