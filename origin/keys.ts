import type { Bytes } from '../protocol/bytes.ts'
import type { KeyId, SiteId } from '../protocol/ids.ts'
import type { Root } from '../protocol/manifest.ts'

/** A private key that signs (Ed25519, RFC 8032). */
export interface Signer {
  readonly id: KeyId
  /** Gives the raw 64 bytes. */
  sign(message: Bytes): Promise<Bytes>
}

/** What a key folder holds. A machine needs only the keys of its work, so each may be absent. */
export interface SiteKeys {
  readonly site: SiteId
  readonly root: Root
  /** The signed root, as the text of its envelope. */
  readonly rootEnvelope: string
  /** 32 bytes from which the swarm ids are derived. A machine that only publishes needs none. */
  readonly swarmSecret?: Bytes | undefined
  readonly rootSigner?: Signer | undefined
  readonly head?: Signer | undefined
  readonly fresh?: Signer | undefined
}

export interface MakeKeysOptions {
  /** Seconds since 1970. */
  readonly now: number
  /** Unpredictable bytes. */
  readonly random: (length: number) => Bytes
}

/** Makes the keys of a new site. Throws where the folder already holds some. */
export async function makeKeys(_folder: string, _options: MakeKeysOptions): Promise<SiteKeys> {
  throw new Error('Cannot make keys: not built yet')
}

/** Whether the folder holds a site's root. */
export async function hasKeys(_folder: string): Promise<boolean> {
  throw new Error('Cannot look for keys: not built yet')
}

export async function readKeys(_folder: string): Promise<SiteKeys> {
  throw new Error('Cannot read keys: not built yet')
}
