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
import { findAssetProblem, readPart } from './verify-asset.ts'
import { HostCheck } from './verify-hosts.ts'
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
  const heads = [...(opened?.manifest.heads.values() ?? [])].map(({ catalogue }) => catalogue.head)
  await verifyScripts(reader, opened && { roots: opened.roots, urls: heads.map(({ urls }) => urls) }, options)
  if (opened === undefined) return { head: undefined, lives: undefined, assets: 0, bytes: 0 }
  const { manifest } = opened
  const hosts = new HostCheck(heads.flatMap(({ urls }) => urls?.hosts ?? []))
  let assets = 0
  let bytes = 0
  for (const { hash, catalogue } of manifest.heads.values()) {
    const { head } = catalogue
    const findProblem = async (row: BinRow): Promise<string | undefined> => {
      const [path] = row
      if (manifest.headAt(path, 0)?.hash !== hash) {
        return 'listed, but another key speaks for this path: visitors pass it over'
      }
      const asset = assetOfRow(row, head, sectionOf(path, head.sections))
      hosts.note(asset)
      return findAssetProblem(reader, manifest, asset)
    }
    await eachBounded(listRows(reader, head, options), options.width, async (row) => {
      options.signal.throwIfAborted()
      assets += 1
      bytes += row[2]
      const problem = await findProblem(row).catch(reasonOf)
      options.signal.throwIfAborted()
      if (problem !== undefined) options.report(row[0], problem)
    })
  }
  await hosts.run(reader, options.report)
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
