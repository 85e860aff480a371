import type { Bytes } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import { hasList, hasPages, parseChunkList, parsePage } from '../protocol/chunks.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { contentIdOf, contentIdOfDigest } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { partLimitBytes } from '../protocol/limits.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import type { TrustedManifest } from '../protocol/trusted-manifest.ts'
import type { HostRule } from '../protocol/url-rules.ts'
import type { SiteBody, SiteReader } from './site-reader.ts'
import { HostRefusal } from './site-reader.ts'
import { findContentProblem, isSameType } from './verify-content.ts'
import { manifestPath, reasonOf } from './verify-manifest.ts'

/** What is wrong with an asset where its visitors find it, undefined where nothing is. */
export async function findAssetProblem(
  reader: SiteReader,
  manifest: TrustedManifest,
  asset: Asset,
): Promise<string | undefined> {
  if (manifest.isRevoked(asset.id)) return undefined // nobody is to serve it, so nobody has to
  if (asset.isGuarded === true && reader.base !== undefined) return findGuardProblem(reader, asset)
  const answer = (await reader.open(askedPath(reader, asset))) ?? (await openElsewhere(reader, asset))
  return answer === undefined ? 'missing' : findBodyProblem(reader, asset, answer)
}

/** Whether an answer is what was signed. */
export async function findBodyProblem(reader: SiteReader, asset: Asset, answer: SiteBody): Promise<string | undefined> {
  let digests: readonly Uint8Array[] | undefined
  try {
    digests = hasList(asset) ? await readDigests(reader, asset) : undefined
  } catch (error) {
    return `its chunk list: ${reasonOf(error)}`
  }
  const problem = await findContentProblem(asset, digests, answer.body)
  return problem ?? findTypeProblem(asset, answer.contentType)
}

/** Where a host of the owner has an asset. */
export function urlAt({ host, from, to }: HostRule, { path }: Asset): string | undefined {
  return path.startsWith(to) ? host + from + path.slice(to.length) : undefined
}

/** The site's own host needs not have what another host of the owner has. */
async function openElsewhere(reader: SiteReader, asset: Asset): Promise<SiteBody | undefined> {
  for (const rule of asset.urls?.hosts ?? []) {
    const url = urlAt(rule, asset)
    const answer = url === undefined ? undefined : await reader.openUrl?.(url)
    if (answer) return answer
  }
  return undefined
}

/** We are a stranger: what its host gives to us needs no pass. */
async function findGuardProblem(reader: SiteReader, asset: Asset): Promise<string | undefined> {
  try {
    const answer = await reader.open(askedPath(reader, asset))
    await answer?.cancel()
    return answer && 'guarded, but the host gives it to whoever asks'
  } catch (error) {
    if (error instanceof HostRefusal) return undefined
    throw error
  }
}

async function readDigests(reader: SiteReader, asset: Asset): Promise<readonly Uint8Array[]> {
  const { digests } = parseChunkList(await readPart(reader, asset.id), asset)
  if (!hasPages(asset)) return digests
  const pages: (readonly Uint8Array[])[] = []
  for (const [page, digest] of digests.entries()) {
    pages.push(parsePage(await readPart(reader, contentIdOfDigest(digest)), asset, page))
  }
  return pages.flat()
}
/** Hosts like to answer a folder's page under the name of the folder only. */
function askedPath(reader: SiteReader, { path }: Asset): string {
  return reader.base === undefined ? path : path.replace(/\/index\.html$/, '/')
}

function findTypeProblem(asset: Asset, contentType: string | undefined): string | undefined {
  const signed = asset.headers.find(([name]) => name === 'content-type')?.[1]
  if (contentType === undefined || signed === undefined || isSameType(signed, contentType)) return undefined
  return `the host says content-type ${contentType}, peers and store say ${signed}`
}

export async function readPart(reader: SiteReader, id: ContentId): Promise<Bytes> {
  const file = await reader.read(manifestPath(manifestFiles.part(id)), partLimitBytes)
  if (file === undefined) throw new Error('missing')
  if ((await contentIdOf(file.bytes)) !== id) throw new ProtocolError('untrusted', 'not what its name says')
  return file.bytes
}
