import { utf8 } from '../protocol/bytes.ts'
import { contentIdOf } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { headLimitBytes } from '../protocol/limits.ts'
import type { Head } from '../protocol/manifest.ts'
import { mediaTypes, parseHead } from '../protocol/manifest.ts'
import { openEnvelope, signEnvelope } from '../protocol/signature.ts'
import type { Catalogue } from './bins.ts'
import { indexTuple } from './bins.ts'
import type { Headers } from './header-table.ts'
import type { SiteKeys } from './keys.ts'

export interface SignedHead {
  readonly head: Head
  readonly hash: ContentId
  readonly envelope: string
}

export interface HeadContent {
  readonly sections: readonly string[]
  readonly headerSets: readonly Headers[]
  readonly assetCount: number
  readonly catalogue: Catalogue
}

/** Undefined where the envelope is no head of this site: other keys, or a damaged file. */
export async function openHead(envelope: string, keys: SiteKeys): Promise<SignedHead | undefined> {
  try {
    const body = await openEnvelope(envelope, mediaTypes.head, headLimitBytes, keys.root.roles.head, keys.root.keys)
    const head = parseHead(body)
    return head.site === keys.site ? { head, hash: await contentIdOf(body), envelope } : undefined
  } catch {
    return undefined
  }
}

/** The head before, where it says the same and still has more than half of its life; else a new one. */
export async function nextHead(
  previous: SignedHead | undefined,
  content: HeadContent,
  keys: SiteKeys,
  life: { readonly now: number; readonly seconds: number },
): Promise<SignedHead> {
  if (previous && isSameContent(previous.head, content) && previous.head.expires - life.now > life.seconds / 2) {
    return previous
  }
  if (keys.head === undefined) throw new Error('Cannot sign head: its key is not on this machine')
  const body = utf8(
    JSON.stringify({
      site: keys.site,
      // Visitors refuse a number that fell back. Two machines that publish in turn, or one that remembers nothing,
      // such as CI, do not know the newest number, but the time grows for all of them.
      seq: Math.max((previous?.head.seq ?? 0) + 1, life.now),
      created: life.now,
      expires: life.now + life.seconds,
      previous: previous?.hash ?? null,
      ...spell(content),
    }),
  )
  const head = parseHead(body) // what this writes, every client must be able to read
  return { head, hash: await contentIdOf(body), envelope: await signEnvelope(mediaTypes.head, body, [keys.head]) }
}

/** Bytes that the index may take beside the rest of the head. */
export function indexBudget(content: Omit<HeadContent, 'catalogue'>): number {
  const fixedBytes = 1024
  return headLimitBytes - fixedBytes - utf8(JSON.stringify([content.sections, content.headerSets])).length
}

function isSameContent(head: Head, content: HeadContent): boolean {
  const { sections, headerSets, assetCount, indexDepth, index } = head
  const catalogue: Catalogue = { indexDepth, index, parts: new Map() }
  return JSON.stringify(spell({ sections, headerSets, assetCount, catalogue })) === JSON.stringify(spell(content))
}

function spell({ sections, headerSets, assetCount, catalogue }: HeadContent): object {
  return {
    sections,
    headerSets,
    assetCount,
    indexDepth: catalogue.indexDepth,
    index: catalogue.index.map(indexTuple),
  }
}
