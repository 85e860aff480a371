import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Root } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import type { KeyPair } from './key-file.ts'
import { assertOwnFolder, readKeyPair, writeSecret } from './key-file.ts'
import type { CurrentRoot } from './keys-chain.ts'
import { readText } from './keys-chain.ts'
import type { RootDraft } from './keys-draft.ts'
import { finishDraft, onlyGood, parseDraft, signDraft, spellDraft } from './keys-draft.ts'
import { assertSite, keyFiles, noRoot, openRootOf } from './keys.ts'
import type { RoleName } from './keys-root.ts'
import { roleNames, rolesOf, shortId } from './keys-root.ts'
import { writeAtomically } from './write-atomically.ts'

/*
 * A key folder while its keys change. The next root waits in `root.next.json`, new keys of this machine in
 * `<role>.next.key`. When enough have signed: roots/, then root.json, then the keys move in and the draft goes away. A
 * crash between leaves the draft, and the next `keys sign` ends the work.
 */

export const draftFile = 'root.next.json'
const retiredFolder = 'retired'

export async function readCurrentRoot(folder: string): Promise<CurrentRoot> {
  const envelope = await readText(join(folder, keyFiles.root))
  if (envelope === undefined) throw noRoot(folder)
  await assertOwnFolder(folder)
  const root = await openRootOf(folder, envelope)
  await assertSite(folder, root)
  return { root, envelope }
}

/** Undefined where no change waits for signatures. */
export async function readDraft(folder: string): Promise<RootDraft | undefined> {
  const envelope = await readText(join(folder, draftFile))
  return envelope === undefined ? undefined : parseDraft(envelope, draftFile)
}

/** The key of a role on this machine; `isNext` where the draft is to bring it in. */
export function readRoleKey(folder: string, role: RoleName, isNext: boolean = false): Promise<KeyPair | undefined> {
  return readKeyPair(join(folder, keyFileOf(role, isNext)))
}

function keyFileOf(role: RoleName, isNext: boolean = false): string {
  return isNext ? `${role}.next.key` : `${role}.key`
}

/** Writes a key that the draft brings in. One of an earlier, dropped thought goes away. */
export async function writeNextKey(folder: string, role: RoleName, pair: KeyPair): Promise<void> {
  const file = join(folder, keyFileOf(role, true))
  await rm(file, { force: true })
  await writeSecret(file, pair.pem)
}

/** Forgets the draft and the keys that it would have brought in. */
export async function dropDraft(folder: string): Promise<void> {
  for (const role of roleNames) await rm(join(folder, keyFileOf(role, true)), { force: true })
  await rm(join(folder, draftFile), { force: true })
}

/**
 * Signs with the root keys that are here and those given, and makes it the root where that is enough. Undefined where
 * it waits for more.
 */
export async function settleDraft(
  folder: string,
  current: CurrentRoot,
  draft: RootDraft,
  more: readonly KeyPair[] = [],
): Promise<{ readonly finished: Root | undefined; readonly draft: RootDraft }> {
  const here = [await readRoleKey(folder, 'root'), await readRoleKey(folder, 'root', true), ...more]
  const asked = [...current.root.roles.root.keys, ...draft.root.roles.root.keys]
  const signers = here.flatMap((pair) => (pair && asked.includes(pair.id) ? [pair.signer] : []))
  const signed = await onlyGood(await signDraft(draft, signers), current.root)
  await writeAtomically(join(folder, draftFile), spellDraft(signed))
  const envelope = await finishDraft(current.root, signed)
  if (envelope === undefined) return { finished: undefined, draft: signed }
  await putRoot(folder, current)
  await putRoot(folder, { root: signed.root, envelope })
  await writeAtomically(join(folder, keyFiles.root), envelope)
  await moveKeysIn(folder, signed.root)
  return { finished: signed.root, draft: signed }
}

/** Ends what a crash cut short: the draft is the root already, only its keys wait. */
export async function moveKeysIn(folder: string, root: Root): Promise<void> {
  const roles = rolesOf(root)
  for (const name of roleNames) {
    const ids = roles.filter((role) => role.name === name).flatMap(({ keys }) => keys)
    const present = await readRoleKey(folder, name)
    const next = await readRoleKey(folder, name, true)
    const isNextUsed = next !== undefined && ids.includes(next.id)
    if (present && (isNextUsed || !ids.includes(present.id))) await retire(folder, name, present)
    if (isNextUsed) await rename(join(folder, keyFileOf(name, true)), join(folder, keyFileOf(name)))
  }
  await dropDraft(folder)
}

export async function renewSwarmSecret(folder: string, secret: Uint8Array): Promise<void> {
  const file = join(folder, keyFiles.swarmSecret)
  await rm(file, { force: true })
  await writeSecret(file, secret)
}

async function putRoot(folder: string, { root, envelope }: CurrentRoot): Promise<void> {
  const file = join(folder, manifestFiles.rootOf(root.version))
  if ((await readText(file)) !== envelope) await writeAtomically(file, envelope)
}

/** An old key is worth nothing to us any more, but removing it is the owner's to decide. */
async function retire(folder: string, role: RoleName, { id }: KeyPair): Promise<void> {
  await mkdir(join(folder, retiredFolder), { recursive: true, mode: 0o700 })
  await rename(join(folder, keyFileOf(role)), join(folder, retiredFolder, `${role}-${shortId(id)}.key`))
}
