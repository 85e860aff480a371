import { base64Of, utf8 } from '../protocol/bytes.ts'
import type { KeyId } from '../protocol/ids.ts'
import type { PrefixRole, Root } from '../protocol/manifest.ts'
import { parseRoot } from '../protocol/manifest.ts'
import type { Role } from '../protocol/signature.ts'
import type { NamedKey } from './key-file.ts'

/*
 * What a change of keys makes of a root. Pure: the root that results is not signed yet. A change of a root that still
 * waits for its signatures goes on from there, so that several changes become one version.
 */

export const roleNames = ['root', 'head', 'delegate', 'fresh', 'live', 'token'] as const
export type RoleName = (typeof roleNames)[number]

/** One role of a root, all kinds alike. */
export interface NamedRole extends Role {
  readonly name: RoleName
  /** Of delegates and live keys; else empty. */
  readonly prefixes: readonly string[]
}

export function rolesOf({ roles }: Root): readonly NamedRole[] {
  const plain = (name: RoleName, role: Role): NamedRole => ({ ...role, name, prefixes: [] })
  const limited = (name: RoleName, list: readonly PrefixRole[]) => list.map((role): NamedRole => ({ ...role, name }))
  return [
    plain('root', roles.root),
    plain('head', roles.head),
    ...limited('delegate', roles.delegates),
    plain('fresh', roles.fresh),
    ...limited('live', roles.live),
    plain('token', roles.token),
  ]
}

export function isPrefixRole(name: RoleName): boolean {
  return name === 'delegate' || name === 'live'
}

/** Adds keys to a role. Those with prefixes get an entry for each set of prefixes. */
export function addKeys(root: Root, name: RoleName, keys: readonly NamedKey[], prefixes: readonly string[] = []): Root {
  for (const key of keys) assertNew(root, key)
  const ids = keys.map(({ id }) => id)
  const wanted = [...new Set(prefixes)].toSorted()
  const isSame = (role: NamedRole) => role.name === name && role.prefixes.toSorted().join() === wanted.join()
  const roles = rolesOf(root)
  const extended = roles.some(isSame)
    ? roles.map((role) => (isSame(role) ? { ...role, keys: [...role.keys, ...ids] } : role))
    : [...roles, { name, prefixes: wanted, keys: ids, threshold: 1 }]
  return rootOf(root, extended, keys)
}

/** Puts a new key in the place of an old one. */
export function replaceKey(root: Root, old: KeyId, key: NamedKey): Root {
  assertNew(root, key)
  const roles = rolesOf(root).map((role) => ({ ...role, keys: role.keys.map((id) => (id === old ? key.id : id)) }))
  return rootOf(root, roles, [key])
}

/** Takes a key away. Throws where its role would be without one. */
export function revokeKey(root: Root, old: KeyId): Root {
  const roles = rolesOf(root).flatMap((role) => {
    if (!role.keys.includes(old)) return [role]
    const keys = role.keys.filter((id) => id !== old)
    if (keys.length > 0) return [{ ...role, keys }]
    if (isPrefixRole(role.name)) return []
    throw new Error(`Cannot revoke ${shortId(old)}: the role ${role.name} would be without a key; rotate it instead`)
  })
  return rootOf(root, roles)
}

/** How many of the root keys must sign. */
export function withThreshold(root: Root, threshold: number): Root {
  return { ...root, roles: { ...root.roles, root: { ...root.roles.root, threshold } } }
}

/** The key that a role's name or the first digits of an id mean. */
export function findKey(root: Root, text: string): { readonly id: KeyId; readonly role: NamedRole } {
  const roles = rolesOf(root)
  const isId = /^[0-9a-f]{6,64}$/.test(text)
  const found = roles.flatMap((role) =>
    role.keys.filter((id) => (isId ? id.startsWith(text) : role.name === text)).map((id) => ({ id, role })),
  )
  const [first, ...more] = found
  if (first === undefined) {
    const isRole = roleNames.some((name) => name === text)
    throw new Error(
      isRole
        ? `Cannot find key ${text}: the site has none of this role (nearhand keys add ${text} makes one)`
        : `Cannot find key ${text}: neither one of the roles ${roleNames.join(', ')} nor the first 6 digits or more of a key's id`,
    )
  }
  if (more.length === 0) return first
  const ids = found.map(({ id }) => shortId(id)).join(', ')
  throw new Error(`Cannot tell which key ${text} means: name one by its id (${ids})`)
}

interface NextRootOptions {
  /** Seconds since 1970. */
  readonly now: number
  readonly seconds: number
  readonly floor?: number | undefined
  /** Default: as before. */
  readonly freshSeconds?: number | undefined
}

/** What the next root says. Throws where no visitor would accept it. */
export function nextRootBody(
  current: Root,
  wanted: Root,
  { now, seconds, floor, freshSeconds }: NextRootOptions,
): Uint8Array<ArrayBuffer> {
  const { keys, threshold } = wanted.roles.root
  if (threshold > keys.length) {
    throw new Error(
      `Cannot make root: ${threshold} signatures of ${keys.length} keys; give another number by --threshold`,
    )
  }
  const body = utf8(
    JSON.stringify({
      ...wanted,
      version: current.version + 1,
      created: now,
      expires: now + seconds,
      // What a floor took back must never return.
      floor: Math.max(current.floor, wanted.floor, floor ?? 0),
      freshSeconds: freshSeconds ?? wanted.freshSeconds,
    }),
  )
  parseRoot(body) // what this writes, every client must be able to read
  return body
}

/** Enough of an id to tell the keys of a site apart. */
export function shortId(id: KeyId): string {
  return id.slice(0, 12)
}

/** A key that speaks for two roles makes one theft two, and a limited one would be taken for the other. */
function assertNew(root: Root, { id }: NamedKey): void {
  const holder = rolesOf(root).find((role) => role.keys.includes(id))
  if (holder) throw new Error(`Cannot add key ${shortId(id)}: it is one of the role ${holder.name} already`)
}

function rootOf(root: Root, roles: readonly NamedRole[], added: readonly NamedKey[] = []): Root {
  const only = (name: RoleName): Role => {
    const { keys, threshold } = roles.find((role) => role.name === name) ?? { keys: [], threshold: 1 }
    return { keys, threshold }
  }
  const limited = (name: RoleName): PrefixRole[] =>
    roles
      .filter((role) => role.name === name)
      .map(({ keys, threshold, prefixes }) => ({ keys, threshold: Math.min(threshold, keys.length), prefixes }))
  const known = {
    ...root.keys,
    ...Object.fromEntries(
      added.map((key) => [key.id, { algorithm: 'Ed25519' as const, public: base64Of(key.public) }]),
    ),
  }
  const used = new Set<string>(roles.flatMap(({ keys }) => keys))
  return {
    ...root,
    keys: Object.fromEntries(Object.entries(known).filter(([id]) => used.has(id))),
    roles: {
      root: only('root'),
      head: only('head'),
      delegates: limited('delegate'),
      fresh: only('fresh'),
      live: limited('live'),
      token: only('token'),
    },
  }
}
