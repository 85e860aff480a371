import { utf8 } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { contentIdOf } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { headLimitBytes } from '../protocol/limits.ts'
import { openAnyHead } from '../protocol/head-roles.ts'
import type { Head, HeadRole, NamedHead, Root } from '../protocol/manifest.ts'
import { mediaTypes, parseHead, releaseRole } from '../protocol/manifest.ts'
import { signEnvelope } from '../protocol/signature.ts'
import type { Catalogue } from './bins.ts'
import { indexTuple } from './bins.ts'
import type { Headers } from './header-table.ts'
import type { LimitedSigner, SiteKeys } from './keys.ts'

export interface SignedHead {
  /** Under the root of now. */
  readonly role: HeadRole
  /** Path prefixes below which its signer may speak. */
  readonly prefixes: readonly string[]
  readonly head: Head
  readonly hash: ContentId
  readonly envelope: string
}

export interface HeadContent extends HeadRules {
  readonly sections: readonly string[]
  readonly headerSets: readonly Headers[]
  readonly assetCount: number
  readonly catalogue: Catalogue
}

/** What a head says of all its assets. */
export type HeadRules = Pick<Head, 'guarded' | 'urls'>

/** Undefined where the envelope is no head of this site: other keys, or a damaged file. */
export async function openHead(envelope: string, root: Root): Promise<SignedHead | undefined> {
  try {
    const { role, prefixes, body } = await openAnyHead(root, envelope)
    const head = parseHead(body)
    return head.site === root.site ? { role, prefixes, head, hash: await contentIdOf(body), envelope } : undefined
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return undefined
  }
}

/** The heads of a publication in one line, as pages are told. */
export function headHashes(heads: readonly SignedHead[]): string {
  return heads.map(({ hash }) => hash).join(', ')
}

/** As fresh names it. */
export function namedHead({ role, head, hash }: SignedHead): NamedHead {
  return { role, seq: head.seq, hash }
}

/** The key that signs heads here, and the paths for which it may speak. */
export interface HeadSigner extends LimitedSigner {
  readonly role: HeadRole
}

/** The release key goes before a limited one. */
export function headSignerOf({ head, delegate, root }: SiteKeys): HeadSigner | undefined {
  if (head) return { signer: head, prefixes: ['/'], role: releaseRole }
  if (delegate === undefined) return undefined
  const at = root.roles.delegates.findIndex(({ keys }) => keys.includes(delegate.signer.id))
  return { ...delegate, role: at + 1 }
}

/** The head before, where it says the same and still has more than half of its life; else a new one. */
export async function nextHead(
  previous: SignedHead | undefined,
  content: HeadContent,
  keys: SiteKeys,
  life: { readonly now: number; readonly seconds: number },
): Promise<SignedHead> {
  const isYoung = previous !== undefined && previous.head.expires - life.now > life.seconds / 2
  const isBelieved = previous !== undefined && previous.head.seq >= keys.root.floor
  if (previous && isYoung && isBelieved && isSameContent(previous.head, content)) return previous
  const signs = headSignerOf(keys)
  if (signs === undefined) throw new Error('Cannot sign head: its key is not on this machine')
  const { signer, role, prefixes } = signs
  const body = utf8(
    JSON.stringify({
      site: keys.site,
      // Visitors refuse a number that fell back. Two machines that publish in turn, or one that remembers nothing,
      // such as CI, do not know the newest number, but the time grows for all of them.
      seq: Math.max((previous?.head.seq ?? 0) + 1, keys.root.floor, life.now),
      created: life.now,
      expires: life.now + life.seconds,
      previous: previous?.hash ?? null,
      ...spell(content),
    }),
  )
  const head = parseHead(body) // what this writes, every client must be able to read
  const envelope = await signEnvelope(mediaTypes.head, body, [signer])
  return { role, prefixes, head, hash: await contentIdOf(body), envelope }
}

/** Bytes that the index may take beside the rest of the head. */
export function indexBudget(content: Omit<HeadContent, 'catalogue'>): number {
  const fixedBytes = 1024
  return (
    headLimitBytes -
    fixedBytes -
    utf8(JSON.stringify([content.sections, content.headerSets, content.guarded, content.urls])).length
  )
}

function isSameContent(head: Head, content: HeadContent): boolean {
  const { indexDepth, index } = head
  const catalogue: Catalogue = { indexDepth, index, parts: new Map() }
  return JSON.stringify(spell({ ...head, catalogue })) === JSON.stringify(spell(content))
}

function spell({ sections, guarded, urls, headerSets, assetCount, catalogue }: HeadContent): object {
  return {
    sections,
    guarded,
    urls,
    headerSets,
    assetCount,
    indexDepth: catalogue.indexDepth,
    index: catalogue.index.map(indexTuple),
  }
}
