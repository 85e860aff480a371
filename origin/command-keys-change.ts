import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { canonicalPath } from '../protocol/paths.ts'
import type { CommandIo } from './command.ts'
import { UsageError } from './command.ts'
import type { KeyPair, NamedKey } from './key-file.ts'
import { keyPairOfSeed, readPublicKey } from './key-file.ts'
import type { CurrentRoot } from './keys-chain.ts'

import { describeDraft, describeFinished } from './keys-describe.ts'
import { draftOf } from './keys-draft.ts'
import { keyFiles } from './keys.ts'
import {
  dropDraft,
  readCurrentRoot,
  readDraft,
  readRoleKey,
  renewSwarmSecret,
  settleDraft,
  writeNextKey,
} from './keys-folder.ts'
import type { RoleName } from './keys-root.ts'
import {
  addKeys,
  findKey,
  isPrefixRole,
  nextRootBody,
  replaceKey,
  revokeKey,
  roleNames,
  shortId,
  withThreshold,
} from './keys-root.ts'
import { onlyArgument, parseDuration, parseFreshLife, parseOptions } from './parse-options.ts'
import { readRememberedHeads } from './published-heads.ts'
import type { Root } from '../protocol/manifest.ts'

const keysOption = { keys: { type: 'string', default: '.nearhand/keys' } } as const
const lifeOption = { life: { type: 'string', default: '365d' } } as const
const freshLifeOption = { 'fresh-life': { type: 'string' } } as const
const thresholdOption = { threshold: { type: 'string' } } as const
const floorOptions = { floor: { type: 'string' }, state: { type: 'string', default: '.nearhand' } } as const
const daySeconds = 86_400

export async function addCommand(args: string[], io: CommandIo): Promise<number> {
  const prefixOption = { prefix: { type: 'string', multiple: true } } as const
  const options = { ...keysOption, ...lifeOption, ...thresholdOption, ...prefixOption }
  const { values, positionals } = parseOptions(args, options)
  const [name, ...files] = positionals
  const role = roleNames.find((known) => known === name)
  if (role === undefined) throw new UsageError(`Which role? (${roleNames.join(', ')})`)
  const prefixes = (values.prefix ?? []).map(checkPrefix)
  if (isPrefixRole(role) !== prefixes.length > 0) {
    throw new UsageError(isPrefixRole(role) ? `A ${role} key needs --prefix` : `A ${role} key has no --prefix`)
  }
  return change({ ...values, values, io }, async (wanted, folder) => {
    if (files.length === 0) await assertFree(folder, role)
    const made = files.length === 0 ? await newKey() : undefined
    const keys = made ? [made] : await Promise.all(files.map((file) => readPublicKey(resolve(io.cwd, file))))
    return { wanted: addKeys(wanted, role, keys, prefixes), made: made && { role, pair: made } }
  })
}

export async function rotateCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(args, { ...keysOption, ...lifeOption, ...floorOptions })
  const [name, file, more] = positionals
  if (name === undefined) throw new UsageError('Which key? A role, or the id of a key')
  if (more !== undefined) throw new UsageError(`One key at a time: what is ${more}?`)
  if (name === 'swarm' && file === undefined) return rotateSwarm(resolve(io.cwd, values.keys), io)
  return change({ ...values, values, io }, async (wanted) => {
    const { id, role } = findKey(wanted, name)
    const made = file === undefined ? await newKey() : undefined
    const key: NamedKey = made ?? (await readPublicKey(resolve(io.cwd, file ?? '')))
    return { wanted: replaceKey(wanted, id, key), made: made && { role: role.name, pair: made } }
  })
}

/** No key of the root: nobody has to sign, and visitors notice no more than that their neighbours change. */
async function rotateSwarm(folder: string, io: CommandIo): Promise<number> {
  const { root } = await readCurrentRoot(folder)
  await renewSwarmSecret(folder, new Uint8Array(randomBytes(32)))
  io.stdout.write(
    `Made a new ${keyFiles.swarmSecret} for site ${root.site}: carry it to each machine that visitors join at\n`,
  )
  return 0
}

export async function revokeCommand(args: string[], io: CommandIo): Promise<number> {
  const options = { ...keysOption, ...lifeOption, ...thresholdOption, ...floorOptions }
  const { values, positionals } = parseOptions(args, options)
  const name = onlyArgument(positionals, 'key')
  return change({ ...values, values, io }, async (wanted) => ({ wanted: revokeKey(wanted, findKey(wanted, name).id) }))
}

export async function renewCommand(args: string[], io: CommandIo): Promise<number> {
  const options = { ...keysOption, ...lifeOption, ...thresholdOption, ...floorOptions, ...freshLifeOption }
  const { values, positionals } = parseOptions(args, options)
  if (positionals[0] !== undefined) throw new UsageError(`What is ${positionals[0]}? renew takes no argument`)
  return change({ ...values, freshSeconds: parseFreshLife(values['fresh-life']), values, io }, async (wanted) => ({
    wanted,
  }))
}

export async function cancelCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(args, keysOption)
  if (positionals[0] !== undefined) throw new UsageError(`What is ${positionals[0]}? cancel takes no argument`)
  const folder = resolve(io.cwd, values.keys)
  const { root } = await readCurrentRoot(folder)
  const draft = await readDraft(folder)
  await dropDraft(folder)
  io.stdout.write(draft ? `Dropped the next root; root ${root.version} stays\n` : 'No next root waits\n')
  return 0
}

interface ChangeOptions {
  readonly keys: string
  readonly life: string
  readonly threshold?: string | undefined
  readonly floor?: string | undefined
  readonly state?: string | undefined
  readonly freshSeconds?: number | undefined
  readonly values: object
  readonly io: CommandIo
}

interface Wanted {
  readonly wanted: Root
  /** A key that was made for it, and belongs to this machine. */
  readonly made?: { readonly role: RoleName; readonly pair: KeyPair } | undefined
}

/** Makes the next root, or goes on with the one that waits, and signs it with what is here. */
async function change(
  options: ChangeOptions,
  edit: (wanted: Root, folder: string) => Promise<Wanted>,
): Promise<number> {
  const { io } = options
  const now = Math.floor(Date.now() / 1000)
  const seconds = parseDuration('life', options.life)
  const threshold = readThreshold(options.threshold)
  const folder = resolve(io.cwd, options.keys)
  const current = await readCurrentRoot(folder)
  const waiting = await readDraft(folder)
  if (waiting && waiting.root.version !== current.root.version + 1) {
    throw new Error('Cannot change keys: another root waits in root.next.json; run nearhand keys sign or cancel')
  }
  const { wanted, made } = await edit(waiting?.root ?? current.root, folder)
  const agreed = threshold === undefined ? wanted : withThreshold(wanted, threshold)
  const floor = await readFloor(options, current, now)
  const body = nextRootBody(current.root, agreed, { now, seconds, floor, freshSeconds: options.freshSeconds })
  if (made) await writeNextKey(folder, made.role, made.pair)
  if (waiting && waiting.signatures.length > 0) {
    io.stderr.write('The root that waited has changed: who signed it must sign again\n')
  }
  const { finished, draft } = await settleDraft(folder, current, draftOf(body))
  io.stdout.write(finished ? describeFinished(current.root, finished) : describeDraft(current.root, draft, folder))
  return 0
}

async function newKey(): Promise<KeyPair> {
  return keyPairOfSeed(new Uint8Array(randomBytes(32)))
}

async function assertFree(folder: string, role: RoleName): Promise<void> {
  const present = (await readRoleKey(folder, role)) ?? (await readRoleKey(folder, role, true))
  if (present === undefined) return
  throw new Error(
    `Cannot make a second ${role} key in ${folder}, which holds ${shortId(present.id)}: ` +
      'make it by nearhand keys make where it is to live, and add its .pub; or rotate the old one',
  )
}

function checkPrefix(prefix: string): string {
  if (prefix.endsWith('/') && canonicalPath(prefix) === prefix) return prefix
  throw new UsageError(`--prefix ${prefix}: a path such as /uploads/, which begins and ends with /`)
}

function readThreshold(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^[1-9]\d?$/.test(text)) return Number(text)
  throw new UsageError(`--threshold ${text}: not a number of keys`)
}

async function readFloor(options: ChangeOptions, current: CurrentRoot, now: number): Promise<number | undefined> {
  const { floor, io, state = '.nearhand' } = options
  if (floor === undefined) return undefined
  const seq = floor === 'newest' ? await newestSeq(resolve(io.cwd, state), current.root) : Number(floor)
  if (!/^(newest|\d{1,15})$/.test(floor)) throw new UsageError(`--floor ${floor}: neither newest nor the seq of a head`)
  // A floor can only rise: one that a thief of keys made up would lock the site out of its own future.
  if (seq > now + daySeconds) {
    throw new Error(`Cannot use --floor ${floor}: seq ${seq} is that of a day to come, no publish of yours made it`)
  }
  return seq
}

async function newestSeq(state: string, root: Root): Promise<number> {
  const heads = await readRememberedHeads(state, root)
  if (heads.length > 0) return Math.max(...heads.map(({ head }) => head.seq))
  throw new Error(`Cannot use --floor newest: no head of this site is remembered in ${state}; give its seq`)
}
