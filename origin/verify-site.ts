import type { Bytes } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import { hasList, hasPages, parseChunkList, parsePage } from '../protocol/chunks.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { contentIdOf, contentIdOfDigest } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { partLimitBytes } from '../protocol/limits.ts'
import type { BinRow, Head } from '../protocol/manifest.ts'
import { assetOfRow, manifestFiles } from '../protocol/manifest.ts'
import { sectionOf } from '../protocol/paths.ts'
import type { TrustedManifest } from '../protocol/trusted-manifest.ts'
import { walkCatalogue } from './catalogue-walk.ts'
import type { ScriptNames } from './config.ts'
import { eachBounded } from './each-bounded.ts'
import type { Lives } from './lives.ts'
import type { BrowserScripts } from './scripts.ts'
import type { SiteReader } from './site-reader.ts'
import { findContentProblem, isSameType } from './verify-content.ts'
import type { ReportProblem } from './verify-manifest.ts'
import { manifestPath, openManifest, reasonOf } from './verify-manifest.ts'
import { verifyScripts } from './verify-scripts.ts'

const renewedSeconds = 3600

export interface VerifyOptions {
  /** The envelope of a root that is trusted. Default: the one that the site shows. */
  readonly pinnedRoot?: string | undefined
  readonly scriptNames: ScriptNames
  /** What the site is to run. */
  readonly scripts: BrowserScripts
  /** Seconds since 1970. */
  readonly now: number
  /** Assets that are read at once. */
  readonly width: number
  readonly report: ReportProblem
  readonly signal: AbortSignal
}

export interface VerifiedSite {
  /** The newest of its heads; undefined where no head could be trusted: then nothing below it was looked at. */
  readonly head: Head | undefined
  /** When what was signed ends; undefined without a head. */
  readonly lives: Lives | undefined
  readonly assets: number
  readonly bytes: number
}

/** Checks a published site as a visitor does, but all of it: signatures, parts, scripts, and the bytes of every asset. */
export async function verifySite(reader: SiteReader, options: VerifyOptions): Promise<VerifiedSite> {
  const opened = await openManifest(reader, options)
  await verifyScripts(reader, opened?.roots, options)
  if (opened === undefined) return { head: undefined, lives: undefined, assets: 0, bytes: 0 }
  const { manifest } = opened
  let assets = 0
  let bytes = 0
  for (const { hash, catalogue } of manifest.heads.values()) {
    const { head } = catalogue
    await eachBounded(listRows(reader, head, options), options.width, async (row) => {
      options.signal.throwIfAborted()
      assets += 1
      bytes += row[2]
      const problem =
        manifest.headAt(row[0], 0)?.hash === hash
          ? await findAssetProblem(reader, manifest, head, row).catch(reasonOf)
          : 'listed, but another key speaks for this path: visitors pass it over'
      options.signal.throwIfAborted()
      if (problem !== undefined) options.report(row[0], problem)
    })
  }
  const heads = [...manifest.heads.values()].map(({ catalogue }) => catalogue.head)
  const head = heads.toSorted((one, other) => other.seq - one.seq)[0]
  return { head, lives: livesOf(manifest, heads), assets, bytes }
}

function livesOf({ root, fresh }: TrustedManifest, heads: readonly Head[]): Lives | undefined {
  if (heads.length === 0 || fresh === undefined) return undefined
  // A short word is renewed by the server that signs it.
  const isRenewed = fresh.expires - fresh.issued < renewedSeconds
  const expires = Math.min(...heads.map((head) => head.expires))
  return { root: root.expires, head: expires, fresh: isRenewed ? expires : fresh.expires }
}

async function* listRows(reader: SiteReader, head: Head, { report }: VerifyOptions): AsyncGenerator<BinRow> {
  const headPath = manifestPath('heads')
  let last = ''
  let count = 0
  let isWhole = true
  for await (const item of walkCatalogue(head.index, head.indexDepth, (id) => readPart(reader, id))) {
    if (item.type === 'broken') {
      isWhole = false
      report(manifestPath(manifestFiles.part(item.id)), reasonOf(item.error))
    } else if (item.type === 'row') {
      if (item.row[0] <= last) report(item.row[0], 'listed out of order: visitors may not find it')
      last = item.row[0]
      count += 1
      yield item.row
    }
  }
  if (isWhole && count !== head.assetCount) report(headPath, `${count} assets instead of ${head.assetCount}`)
}

async function findAssetProblem(
  reader: SiteReader,
  manifest: TrustedManifest,
  head: Head,
  row: BinRow,
): Promise<string | undefined> {
  const asset = assetOfRow(row, head, sectionOf(row[0], head.sections))
  if (manifest.isRevoked(asset.id)) return undefined // nobody is to serve it, so nobody has to
  let digests: readonly Uint8Array[] | undefined
  try {
    digests = hasList(asset) ? await readDigests(reader, asset) : undefined
  } catch (error) {
    return `its chunk list: ${reasonOf(error)}`
  }
  const answer = await reader.open(askedPath(reader, asset))
  if (answer === undefined) return 'missing'
  const problem = await findContentProblem(asset, digests, answer.body)
  return problem ?? findTypeProblem(asset, answer.contentType)
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

async function readPart(reader: SiteReader, id: ContentId): Promise<Bytes> {
  const file = await reader.read(manifestPath(manifestFiles.part(id)), partLimitBytes)
  if (file === undefined) throw new Error('missing')
  if ((await contentIdOf(file.bytes)) !== id) throw new ProtocolError('untrusted', 'not what its name says')
  return file.bytes
}
