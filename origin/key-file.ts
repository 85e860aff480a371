import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { chmod, open, readFile, stat, writeFile } from 'node:fs/promises'
import type { Bytes } from '../protocol/bytes.ts'
import { concatBytes } from '../protocol/bytes.ts'
import type { KeyId } from '../protocol/ids.ts'
import { keyIdOf } from '../protocol/signature.ts'

/** A private key that signs (Ed25519, RFC 8032). */
export interface Signer {
  readonly id: KeyId
  /** For a library that signs by itself. */
  readonly key: KeyObject
  /** Gives the raw 64 bytes. */
  sign(message: Bytes): Promise<Bytes>
}

/** The half of a key that others check it with. */
export interface NamedKey {
  readonly id: KeyId
  /** Raw 32 bytes. */
  readonly public: Bytes
}

/** A signer and its public key. */
export interface KeyPair extends NamedKey {
  readonly signer: Signer
  /** PKCS#8. */
  readonly pem: string
}

// The fixed ASN.1 head of an Ed25519 private key, which ends where its 32 bytes begin (RFC 8410 section 7).
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')
const secretFileLimit = 4096

export async function keyPairOfSeed(seed: Bytes): Promise<KeyPair> {
  if (seed.length !== 32) throw new RangeError(`Cannot make key: a seed of ${seed.length} bytes instead of 32`)
  const der = Buffer.from(concatBytes([pkcs8Head, seed]))
  return keyPairOf(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** Undefined where there is no such file. */
export async function readKeyPair(file: string): Promise<KeyPair | undefined> {
  const pem = await readSecret(file)
  if (pem === undefined) return undefined
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw new Error(`Cannot read ${file}: not a PKCS#8 key in PEM`, { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`Cannot read ${file}: not an Ed25519 key`)
  return keyPairOf(key)
}

/** The text of a file that another machine's owner can hand over: a public key (SPKI) in PEM. */
export function publicPemOf({ pem }: KeyPair): string {
  return createPublicKey(pem).export({ format: 'pem', type: 'spki' }).toString()
}

/** Reads what `publicPemOf` wrote, or OpenSSL. Refuses a private key: that one must never travel. */
export async function readPublicKey(file: string): Promise<NamedKey> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Error(`Cannot read ${file}: ${reasonOf(cause)}`, { cause })
  })
  if (pem.includes('PRIVATE KEY')) {
    throw new Error(`Cannot use ${file}: that is a private key, which stays where it was made; give the .pub beside it`)
  }
  let key: KeyObject
  try {
    key = createPublicKey({ key: pem, format: 'pem' })
  } catch (cause) {
    throw new Error(`Cannot read ${file}: not a public key in PEM`, { cause })
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`Cannot read ${file}: not an Ed25519 key`)
  const raw = rawOf(key)
  return { id: await keyIdOf(raw), public: raw }
}

/** Refuses a file that others on the machine can read. Undefined where there is none. */
export async function readSecret(file: string): Promise<Buffer | undefined> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new Error(`Cannot read ${file}: ${error.message}`, { cause: error })
  })
  if (handle === undefined) return undefined
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error(`Cannot read ${file}: not a file`)
    const { mode, size } = stats
    // Windows has no such bits: every file looks open to all.
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new Error(`Cannot use ${file}: others may read it (mode ${bitsOf(mode)}); run chmod 600 ${file}`)
    }
    if (size > secretFileLimit) throw new Error(`Cannot read ${file}: ${size} bytes are no key`)
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/** Refuses a folder in which others on the machine could put keys of their own in the place of ours. */
export async function assertOwnFolder(folder: string): Promise<void> {
  const { mode } = await stat(folder)
  if (process.platform === 'win32' || (mode & 0o002) === 0) return
  throw new Error(`Cannot use ${folder}: others may write to it (mode ${bitsOf(mode)}); run chmod 700 ${folder}`)
}

function reasonOf(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'ENOENT' ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause)
}

function bitsOf(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0')
}

/** Never writes over a file that is there. */
export async function writeSecret(file: string, content: string | Uint8Array): Promise<void> {
  await writeFile(file, content, { flag: 'wx', mode: 0o600 })
  await chmod(file, 0o600) // the umask may have taken more, and some file systems ignore the mode at creation
}

async function keyPairOf(key: KeyObject): Promise<KeyPair> {
  const raw = rawOf(createPublicKey(key))
  const id = await keyIdOf(raw)
  const signer: Signer = { id, key, sign: async (message) => new Uint8Array(sign(null, message, key)) }
  return { id, signer, public: raw, pem: key.export({ format: 'pem', type: 'pkcs8' }).toString() }
}

function rawOf(key: KeyObject): Bytes {
  return new Uint8Array(Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url'))
}
