import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import * as v from 'valibot'
import type { Bytes } from '../protocol/bytes.ts'
import { base64Of, hexOf, utf8 } from '../protocol/bytes.ts'
import type { SiteId } from '../protocol/ids.ts'
import { siteIdSchema } from '../protocol/ids.ts'
import { parseJson } from '../protocol/json.ts'
import type { PrefixRole, Root } from '../protocol/manifest.ts'
import { mediaTypes, parseRoot } from '../protocol/manifest.ts'
import type { Role } from '../protocol/signature.ts'
import { signEnvelope } from '../protocol/signature.ts'
import { openPinnedRoot } from '../protocol/trusted-manifest.ts'
import type { KeyPair, Signer } from './key-file.ts'
import { readRoots, readText } from './keys-chain.ts'
import { assertOwnFolder, keyPairOfSeed, readKeyPair, readSecret, writeSecret } from './key-file.ts'

/** What a key folder holds. A machine needs only the keys of its work, so each may be absent. */
export interface SiteKeys {
  readonly site: SiteId
  readonly root: Root
  /** The signed root, as the text of its envelope. */
  readonly rootEnvelope: string
  /** The envelopes of all roots that are known, by version, that one among them. */
  readonly roots: ReadonlyMap<number, string>
  /** 32 bytes from which the swarm ids are derived. A machine that only publishes needs none. */
  readonly swarmSecret?: Bytes | undefined
  readonly rootSigner?: Signer | undefined
  /** The release key, which signs for the whole site. */
  readonly head?: Signer | undefined
  /** The key of a server that publishes by itself, and the prefixes for which it may speak. */
  readonly delegate?: LimitedSigner | undefined
  readonly live?: LimitedSigner | undefined
  readonly fresh?: Signer | undefined
  readonly token?: Signer | undefined
}

/** A signer that holds for some paths only. */
export interface LimitedSigner {
  readonly signer: Signer
  readonly prefixes: readonly string[]
}

export interface MakeKeysOptions {
  /** Seconds since 1970. */
  readonly now: number
  /** Unpredictable bytes. */
  readonly random: (length: number) => Bytes
  /** The longest life of a fresh that visitors are to believe. Default: 120. */
  readonly freshSeconds?: number | undefined
}

/** Files of a key folder. All but `root.json` and `site.json` are secret. */
export const keyFiles = {
  rootKey: 'root.key',
  headKey: 'head.key',
  delegateKey: 'delegate.key',
  liveKey: 'live.key',
  freshKey: 'fresh.key',
  tokenKey: 'token.key',
  swarmSecret: 'swarm.secret',
  site: 'site.json',
  root: 'root.json',
} as const

/** Of a server, which signs the next one in time. */
const defaultFreshSeconds = 120
const rootSeconds = 365 * 24 * 3600
const swarmSecretBytes = 32
const siteFileLimit = 4096
const siteSchema = v.object({ site: siteIdSchema, created: v.pipe(v.number(), v.safeInteger()) })

/**
 * Makes the keys of a new site: one for each role of the root, each in a file of its own, mode 0600.
 * The root holds for a year. Throws where the folder already holds a site.
 */
export async function makeKeys(folder: string, options: MakeKeysOptions): Promise<SiteKeys> {
  if (await hasKeys(folder)) throw new Error(`Cannot make keys: ${folder} already holds those of a site`)
  const pairs = {
    root: await keyPairOfSeed(options.random(32)),
    head: await keyPairOfSeed(options.random(32)),
    fresh: await keyPairOfSeed(options.random(32)),
    token: await keyPairOfSeed(options.random(32)),
  }
  const site = hexOf(options.random(16))
  const rootEnvelope = await signRoot(site, pairs, options)
  const siteFile = `${JSON.stringify({ site, created: options.now }, undefined, 2)}\n`
  const secret = options.random(swarmSecretBytes)
  await putFolder(folder, async (place) => {
    await writeFile(join(place, '.gitignore'), '*\n') // keys in a public history are the usual way to lose them
    await writeSecret(join(place, keyFiles.rootKey), pairs.root.pem)
    await writeSecret(join(place, keyFiles.headKey), pairs.head.pem)
    await writeSecret(join(place, keyFiles.freshKey), pairs.fresh.pem)
    await writeSecret(join(place, keyFiles.tokenKey), pairs.token.pem)
    await writeSecret(join(place, keyFiles.swarmSecret), secret)
    await writeFile(join(place, keyFiles.site), siteFile, { flag: 'wx' })
    await writeFile(join(place, keyFiles.root), rootEnvelope, { flag: 'wx' })
  })
  return readKeys(folder)
}

/**
 * Makes a folder with all that `fill` writes, at once or not at all: half of the keys would block every later run. One
 * that is there, such as the mount of a volume, is filled where it is.
 */
async function putFolder(folder: string, fill: (place: string) => Promise<void>): Promise<void> {
  const present = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (present !== undefined) {
    await assertOwnFolder(folder)
    const names: readonly string[] = Object.values(keyFiles)
    const found = present.filter((name) => names.includes(name))
    if (found.length === 0) return fill(folder)
    throw new Error(
      `Cannot make keys: ${folder} holds ${found.join(', ')} and no ${keyFiles.root}; ` +
        `bring ${keyFiles.root} back from a copy, or choose an empty folder`,
    )
  }
  await mkdir(dirname(folder), { recursive: true })
  const beside = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`))
  try {
    await fill(beside)
    await rename(beside, folder)
  } catch (error) {
    await rm(beside, { recursive: true, force: true })
    throw error
  }
}

/** Whether the folder holds a site's root. */
export async function hasKeys(folder: string): Promise<boolean> {
  return (await readText(join(folder, keyFiles.root))) !== undefined
}

/** Throws where there is no root, others may write to the folder, a secret is open to others, or a key is not one of the root's role. */
export async function readKeys(folder: string): Promise<SiteKeys> {
  const rootEnvelope = await readText(join(folder, keyFiles.root))
  if (rootEnvelope === undefined) throw noRoot(folder)
  await assertOwnFolder(folder)
  const root = await openRootOf(folder, rootEnvelope)
  await assertSite(folder, root)
  return {
    site: root.site,
    root,
    rootEnvelope,
    roots: await readRoots(folder, { root, envelope: rootEnvelope }),
    swarmSecret: await readSwarmSecret(join(folder, keyFiles.swarmSecret)),
    rootSigner: await readSigner(join(folder, keyFiles.rootKey), root.roles.root),
    head: await readSigner(join(folder, keyFiles.headKey), root.roles.head),
    delegate: await readLimited(join(folder, keyFiles.delegateKey), root.roles.delegates),
    live: await readLimited(join(folder, keyFiles.liveKey), root.roles.live),
    fresh: await readSigner(join(folder, keyFiles.freshKey), root.roles.fresh),
    token: await readSigner(join(folder, keyFiles.tokenKey), root.roles.token),
  }
}

export function noRoot(folder: string): Error {
  return new Error(
    `Cannot read keys: no ${keyFiles.root} in ${folder} (another folder by --keys, new keys by nearhand keygen)`,
  )
}

export async function openRootOf(folder: string, envelope: string): Promise<Root> {
  return openPinnedRoot(envelope).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`Cannot use ${join(folder, keyFiles.root)}: ${reason}`, { cause })
  })
}

/** The root of another site, put there by a careless copy, must not be taken for ours. */
export async function assertSite(folder: string, { site }: Root): Promise<void> {
  const file = await readText(join(folder, keyFiles.site))
  if (file === undefined || parseJson(siteSchema, file, siteFileLimit, keyFiles.site).site === site) return
  throw new Error(`Cannot read keys: ${keyFiles.site} and ${keyFiles.root} in ${folder} are of different sites`)
}

async function signRoot(
  site: string,
  pairs: { root: KeyPair; head: KeyPair; fresh: KeyPair; token: KeyPair },
  { now, freshSeconds = defaultFreshSeconds }: MakeKeysOptions,
): Promise<string> {
  const role = (pair: KeyPair): Role => ({ keys: [pair.signer.id], threshold: 1 })
  const body = utf8(
    JSON.stringify({
      site,
      version: 1,
      created: now,
      floor: 0,
      freshSeconds,
      expires: now + rootSeconds,
      keys: Object.fromEntries(
        Object.values(pairs).map((pair) => [pair.signer.id, { algorithm: 'Ed25519', public: base64Of(pair.public) }]),
      ),
      roles: {
        root: role(pairs.root),
        head: role(pairs.head),
        delegates: [],
        fresh: role(pairs.fresh),
        live: [],
        token: role(pairs.token),
      },
    }),
  )
  parseRoot(body) // what this writes, every client must be able to read
  return signEnvelope(mediaTypes.root, body, [pairs.root.signer])
}

async function readSigner(file: string, role: Role): Promise<Signer | undefined> {
  const pair = await readKeyPair(file)
  if (pair && !role.keys.includes(pair.signer.id)) {
    throw unnamed(file)
  }
  return pair?.signer
}

async function readLimited(file: string, roles: readonly PrefixRole[]): Promise<LimitedSigner | undefined> {
  const pair = await readKeyPair(file)
  if (pair === undefined) return undefined
  const role = roles.find(({ keys }) => keys.includes(pair.id))
  if (role === undefined) throw unnamed(file)
  return { signer: pair.signer, prefixes: role.prefixes }
}

function unnamed(file: string): Error {
  return new Error(
    `Cannot use ${file}: the root does not name this key for its role ` +
      '(after a rotation, root.json, roots/ and the new key go to every machine together)',
  )
}

async function readSwarmSecret(file: string): Promise<Bytes | undefined> {
  const secret = await readSecret(file)
  if (secret && secret.length !== swarmSecretBytes) {
    throw new Error(`Cannot use ${file}: ${secret.length} bytes instead of ${swarmSecretBytes}`)
  }
  return secret && new Uint8Array(secret)
}
