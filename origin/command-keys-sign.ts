import { randomBytes } from 'node:crypto'
import { lstat, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { CommandIo } from './command.ts'
import { UsageError } from './command.ts'
import type { KeyPair } from './key-file.ts'
import { keyPairOfSeed, publicPemOf, readKeyPair, writeSecret } from './key-file.ts'
import type { CurrentRoot } from './keys-chain.ts'
import { readText } from './keys-chain.ts'
import { describeDraft, describeFinished, describeRoot, describeSigned } from './keys-describe.ts'
import { mergeDrafts, onlyGood, parseDraft, signDraft, spellDraft } from './keys-draft.ts'
import { draftFile, moveKeysIn, readCurrentRoot, readDraft, readRoleKey, settleDraft } from './keys-folder.ts'
import { hasKeys } from './keys.ts'
import { roleNames, shortId } from './keys-root.ts'
import { onlyArgument, parseOptions } from './parse-options.ts'
import { writeAtomically } from './write-atomically.ts'

const keysOption = { keys: { type: 'string', default: '.nearhand/keys' } } as const
const keyOption = { key: { type: 'string', multiple: true } } as const

export async function listCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(args, keysOption)
  if (positionals[0] !== undefined) throw new UsageError(`What is ${positionals[0]}? Name the folder by --keys`)
  const folder = resolve(io.cwd, values.keys)
  const { root } = await readCurrentRoot(folder)
  const here = new Map<string, string>()
  for (const role of roleNames) {
    const pair = await readRoleKey(folder, role)
    if (pair) here.set(pair.id, `${role}.key`)
  }
  io.stdout.write(describeRoot(root, here, Math.floor(Date.now() / 1000)))
  for (const [id, file] of here) {
    if (!Object.hasOwn(root.keys, id))
      io.stdout.write(`  ${file} (${id.slice(0, 12)}) is here, and this root does not name it\n`)
  }
  const draft = await readDraft(folder)
  if (draft) io.stdout.write(`\n${describeDraft(root, await onlyGood(draft, root), folder)}`)
  return 0
}

export async function makeCommand(args: string[], io: CommandIo): Promise<number> {
  const { positionals } = parseOptions(args, {})
  const file = resolve(io.cwd, onlyArgument(positionals, 'file (such as alice.key)'))
  const pair = await keyPairOfSeed(new Uint8Array(randomBytes(32)))
  const publicFile = `${file.replace(/\.key$/, '')}.pub`
  // Both or none: half of a pair would only be found out by the one who is sent it.
  for (const place of [file, publicFile]) {
    if (await isThere(place)) throw new Error(`Cannot make key: ${place} is there already`)
  }
  if (!(await isThere(dirname(file)))) throw new Error(`Cannot make key: there is no folder ${dirname(file)}`)
  await writeSecret(file, pair.pem)
  await writeFile(publicFile, publicPemOf(pair), { flag: 'wx' })
  io.stdout.write(`Made key ${shortId(pair.id)}
  ${file} stays on this machine; keep a copy as safe as itself
  ${publicFile} goes to the site's owner, for nearhand keys add or rotate
`)
  return 0
}

/** In the key folder, or, where a file is named, on a machine that has nothing but it and a key. */
export async function signCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(args, { ...keysOption, ...keyOption })
  const folder = resolve(io.cwd, values.keys)
  const more = await readKeys(values.key ?? [], io.cwd)
  if (positionals.length > 0) return signFile(resolve(io.cwd, onlyArgument(positionals, 'file')), folder, more, io)
  const current = await readCurrentRoot(folder)
  const draft = await readDraft(folder)
  if (draft === undefined) throw new Error(`Cannot sign: no root waits for it in ${folder}`)
  if (draft.root.version === current.root.version) {
    await moveKeysIn(folder, current.root)
    io.stdout.write(`Root ${current.root.version} holds already; its keys are in place now\n`)
    return 0
  }
  return settle(folder, current, draft, more, io)
}

export async function collectCommand(args: string[], io: CommandIo): Promise<number> {
  const { values, positionals } = parseOptions(args, keysOption)
  if (positionals.length === 0) throw new UsageError('Which files? Copies of root.next.json that others signed')
  const folder = resolve(io.cwd, values.keys)
  const current = await readCurrentRoot(folder)
  let draft = await readDraft(folder)
  if (draft === undefined) throw new Error(`Cannot collect: no root waits for signatures in ${folder}`)
  for (const name of positionals) {
    const file = resolve(io.cwd, name)
    draft = mergeDrafts(draft, parseDraft(await mustRead(file), name), name)
  }
  return settle(folder, current, draft, [], io)
}

async function settle(
  folder: string,
  current: CurrentRoot,
  waiting: Parameters<typeof settleDraft>[2],
  more: readonly KeyPair[],
  io: CommandIo,
): Promise<number> {
  const { finished, draft } = await settleDraft(folder, current, waiting, more)
  io.stdout.write(finished ? describeFinished(current.root, finished) : describeDraft(current.root, draft, folder))
  return 0
}

async function signFile(file: string, folder: string, keys: readonly KeyPair[], io: CommandIo): Promise<number> {
  const draft = parseDraft(await mustRead(file), file)
  const own = keys.length > 0 ? keys : [await readRoleKey(folder, 'root')].flatMap((pair) => pair ?? [])
  if (own.length === 0) throw new Error(`Cannot sign ${file}: name your key by --key <file>`)
  const current = await findCurrent(file, folder)
  const asked = [...(current?.roles.root.keys ?? []), ...draft.root.roles.root.keys]
  for (const { id } of own) {
    if (!asked.includes(id)) {
      // The old keys are known from root.json only.
      const hint = current ? '' : `; put the site’s root.json beside ${draftFile} if it is one that goes`
      throw new Error(`Cannot sign ${file}: it does not ask for key ${shortId(id)}${hint}`)
    }
  }
  const signers = own.map(({ signer }) => signer)
  const signed = await onlyGood(await signDraft(draft, signers), current)
  // Signatures of old keys, which cannot be judged without their root, are left to the one that collects.
  const kept = current ? signed : { ...signed, signatures: [...draft.signatures, ...signed.signatures] }
  io.stdout.write(describeSigned(draft.root, current, own))
  await writeAtomically(file, spellDraft(kept))
  return 0
}

/** The root that the draft is to follow, where it lies beside the draft or in the key folder. */
async function findCurrent(file: string, folder: string): Promise<CurrentRoot['root'] | undefined> {
  for (const place of [dirname(file), folder]) {
    if (await hasKeys(place)) return (await readCurrentRoot(place)).root
  }
  return undefined
}

async function readKeys(files: readonly string[], cwd: string): Promise<KeyPair[]> {
  const pairs: KeyPair[] = []
  for (const name of files) {
    const file = resolve(cwd, name)
    if ((await readFile(file, 'utf8').catch(() => '')).includes('PUBLIC KEY')) {
      throw new Error(`Cannot sign by ${name}: that is the public half of a key; name the file beside it`)
    }
    const pair = await readKeyPair(file)
    if (pair === undefined) throw new Error(`Cannot read ${name}: there is no such file`)
    pairs.push(pair)
  }
  return pairs
}

async function isThere(place: string): Promise<boolean> {
  return lstat(place).then(
    () => true,
    () => false,
  )
}

async function mustRead(file: string): Promise<string> {
  const text = await readText(file)
  if (text === undefined) throw new Error(`Cannot read ${join(file)}: there is no such file`)
  return text
}
