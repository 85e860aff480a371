import type { Bytes } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { contentIdOf } from './hash.ts'
import type { ContentId } from './ids.ts'
import { clockSkewSeconds, headLifeLimitSeconds, headLimitBytes } from './limits.ts'
import type { Head, HeadRole, PrefixRole, Root } from './manifest.ts'
import { mediaTypes, parseHead, releaseRole } from './manifest.ts'
import { openEnvelope } from './signature.ts'

/*
 * Several heads hold side by side: that of the release key, and those of servers that publish by themselves below some
 * prefixes. Of each path exactly one of them speaks, so that no key can add to, hide or take back what another published.
 */

const everywhere: readonly string[] = ['/']

/** Who signs the heads of a role; undefined where the root has no such role. */
export function signersOf({ roles }: Root, role: HeadRole): PrefixRole | undefined {
  return role === releaseRole ? { ...roles.head, prefixes: everywhere } : roles.delegates[role - 1]
}

/** Of the roles that have a head, the one whose head speaks for a path: with the longest prefix, of two the first. */
export function rolesInCharge(root: Root, roles: Iterable<HeadRole>): (path: string) => HeadRole | undefined {
  const places = [...roles].flatMap((role) =>
    (signersOf(root, role)?.prefixes ?? []).map((prefix) => ({ prefix, role })),
  )
  places.sort((one, other) => other.prefix.length - one.prefix.length || one.role - other.role)
  return (path) => places.find(({ prefix }) => path.startsWith(prefix))?.role
}

/** A head that some role's keys signed. */
export interface SignedBody {
  readonly role: HeadRole
  readonly prefixes: readonly string[]
  readonly body: Bytes
}

/** Opens a head that this role is to have signed. */
export async function openHeadOf(root: Root, role: HeadRole, envelope: string | Uint8Array): Promise<SignedBody> {
  const signers = signersOf(root, role)
  if (signers === undefined) throw new ProtocolError('untrusted', 'Cannot open head: of a role that the root has not')
  const body = await openEnvelope(envelope, mediaTypes.head, headLimitBytes, signers, root.keys)
  return { role, prefixes: signers.prefixes, body }
}

/** Opens a head whose signature alone says of which role it is. */
export async function openAnyHead(root: Root, envelope: string | Uint8Array): Promise<SignedBody> {
  for (const at of root.roles.delegates.keys()) {
    try {
      return await openHeadOf(root, at + 1, envelope)
    } catch (error) {
      if (!(error instanceof ProtocolError && error.code === 'untrusted')) throw error
    }
  }
  return openHeadOf(root, releaseRole, envelope)
}

/**
 * A head of this very hash, of this site, that counts and has not expired.
 * @param now seconds since 1970
 */
export async function checkHead(root: Root, body: Bytes, hash: ContentId, now: number): Promise<Head> {
  if ((await contentIdOf(body)) !== hash)
    throw new ProtocolError('untrusted', 'Cannot accept head: not the one that is named')
  const head = parseHead(body)
  if (head.site !== root.site) throw new ProtocolError('foreign', 'Cannot accept head: made for another site')
  if (head.seq < root.floor) throw new ProtocolError('rollback', 'Cannot accept head: below the floor of the root')
  if (head.expires <= now - clockSkewSeconds) throw new ProtocolError('expired', 'Cannot accept head: it expired')
  // A stolen key, as with fresh. Measured from now, so that a head of a time to come gains nothing.
  if (head.expires > now + headLifeLimitSeconds + clockSkewSeconds) {
    throw new ProtocolError('foreign', 'Cannot accept head: its life is long')
  }
  return head
}
