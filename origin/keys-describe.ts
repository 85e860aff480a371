import { join } from 'node:path'
import type { Root } from '../protocol/manifest.ts'
import type { NamedKey } from './key-file.ts'
import type { RootDraft } from './keys-draft.ts'
import { tally } from './keys-draft.ts'
import { draftFile } from './keys-folder.ts'
import type { NamedRole, RoleName } from './keys-root.ts'
import { rolesOf, shortId } from './keys-root.ts'
import { describeDuration, rootWarning } from './lives.ts'

/** A root for the one who owns it. @param here files of the keys on this machine, by key id @param now in seconds */
export function describeRoot(root: Root, here: ReadonlyMap<string, string>, now: number): string {
  const lines = [
    `Site ${root.site}, root ${root.version}: holds until ${dayOf(root.expires)}${root.floor > 0 ? `, no head before ${root.floor}` : ''}`,
    ...rolesOf(root).flatMap((role) => describeRole(role, here)),
    `  A fresh holds for ${describeDuration(root.freshSeconds)} at most`,
  ]
  const warning = rootWarning(root.expires, now)
  return `${[...lines, ...(warning === undefined ? [] : [warning])].join('\n')}\n`
}

/** Who must still sign the next root, and by which command. */
export function describeDraft(current: Root, draft: RootDraft, folder: string): string {
  const lines = [`Root ${draft.root.version} waits for signatures in ${join(folder, draftFile)}:`]
  lines.push(...differences(current, draft.root))
  for (const [which, role] of [
    [`root ${current.version}`, current.roles.root],
    [`root ${draft.root.version}`, draft.root.roles.root],
  ] as const) {
    const { signed, missing, threshold } = tally(draft, role)
    const wait = signed.length < threshold ? `, missing of ${missing.map(shortId).join(', ')}` : ''
    lines.push(`  ${signed.length} of ${threshold} signatures by the keys of ${which}${wait}`)
  }
  const isSigned = [current, draft.root].every(({ roles }) => {
    const { signed, threshold } = tally(draft, roles.root)
    return signed.length >= threshold
  })
  if (isSigned) return `${[...lines, 'All have signed: nearhand keys sign makes it the root'].join('\n')}\n`
  lines.push(
    `Give ${draftFile} and root.json to the holders of those keys; each runs`,
    `  nearhand keys sign ${draftFile} --key <their key>`,
    `and hands the file back, for nearhand keys collect <file>. nearhand keys cancel drops it.`,
  )
  return `${lines.join('\n')}\n`
}

/** What a new root means for the machines of the site. */
export function describeFinished(before: Root, root: Root): string {
  const lines = [`Root ${root.version} holds until ${dayOf(root.expires)}`, ...differences(before, root), 'Now:']
  lines.push('  1. Carry root.json and roots/ to each machine that publishes or serves')
  const fresh = changedRoles(before, root).filter((role) => role !== 'root')
  if (fresh.length > 0) lines.push(`     and new keys to the machines that use them: ${fresh.join(', ')}`)
  lines.push(
    '  2. Publish again; a running nearhand serve takes the keys by itself, and visitors follow',
    '  3. Back up this folder',
  )
  return `${lines.join('\n')}\n`
}

/** What somebody just put a name to. */
export function describeSigned(root: Root, current: Root | undefined, keys: readonly NamedKey[]): string {
  const lines = [`Signed root ${root.version} of site ${root.site} by ${keys.map(({ id }) => shortId(id)).join(', ')}`]
  lines.push(`  holds until ${dayOf(root.expires)}`)
  if (current) lines.push(...differences(current, root))
  else lines.push(...rolesOf(root).flatMap((role) => describeRole(role, new Map())))
  lines.push('Hand the file back to the one who sent it')
  return `${lines.join('\n')}\n`
}

function describeRole({ name, keys, threshold, prefixes }: NamedRole, here: ReadonlyMap<string, string>): string[] {
  const scope = prefixes.length > 0 ? ` for ${prefixes.join(' ')}` : ''
  return keys.map((id, at) => {
    const label = at === 0 ? name : ''
    const place = here.get(id)
    const rule = name === 'root' && at === 0 ? ` (${threshold} of ${keys.length} must sign)` : ''
    return `  ${label.padEnd(8)} ${shortId(id)}${scope}${place === undefined ? '' : `, ${place} is here`}${rule}`
  })
}

function differences(before: Root, after: Root): string[] {
  const [old, next] = [spell(before), spell(after)]
  const lines = [
    ...[...next].filter((line) => !old.has(line)).map((line) => `  + ${line}`),
    ...[...old].filter((line) => !next.has(line)).map((line) => `  - ${line}`),
  ]
  if (after.site !== before.site) lines.push(`  ! of another site: ${after.site} instead of ${before.site}`)
  if (after.roles.root.threshold !== before.roles.root.threshold) {
    lines.push(`  ${after.roles.root.threshold} root keys must sign instead of ${before.roles.root.threshold}`)
  }
  if (after.freshSeconds !== before.freshSeconds) {
    const [longest, old] = [after, before].map((root) => describeDuration(root.freshSeconds))
    lines.push(`  fresh.key may sign for ${longest} at most instead of ${old}`)
  }
  if (after.floor !== before.floor) lines.push(`  no head before ${after.floor} is believed any more`)
  return lines
}

function spell(root: Root): Set<string> {
  return new Set(
    rolesOf(root).flatMap(({ name, keys, prefixes }) => keys.map((id) => [name, shortId(id), ...prefixes].join(' '))),
  )
}

function changedRoles(before: Root, after: Root): RoleName[] {
  const old = new Set(rolesOf(before).flatMap(({ keys }) => keys))
  return [
    ...new Set(
      rolesOf(after)
        .filter(({ keys }) => keys.some((id) => !old.has(id)))
        .map(({ name }) => name),
    ),
  ]
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}
