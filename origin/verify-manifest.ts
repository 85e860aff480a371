import { textOf } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { ContentId } from '../protocol/ids.ts'
import { freshLimitBytes, headLimitBytes, rootLimitBytes } from '../protocol/limits.ts'
import type { Root } from '../protocol/manifest.ts'
import { manifestFiles, manifestFolder, mediaTypes, parseFresh } from '../protocol/manifest.ts'
import { openEnvelope } from '../protocol/signature.ts'
import { openPinnedRoot, TrustedManifest } from '../protocol/trusted-manifest.ts'
import type { SiteReader } from './site-reader.ts'

/** Takes what is wrong with one path of the site. */
export type ReportProblem = (path: string, problem: string) => void

interface OpenManifestOptions {
  /** The envelope of a root that is trusted; else the site's own is. */
  readonly pinnedRoot?: string | undefined
  /** Seconds since 1970. */
  readonly now: number
  readonly report: ReportProblem
}

/** A site's signed objects as a visitor accepts them. */
export interface OpenedManifest {
  readonly manifest: TrustedManifest
  /** The envelope that visitors are to pin. */
  readonly rootEnvelope: string
}

/**
 * Reads root, fresh and head and reports what a visitor would refuse. What has merely expired is reported and
 * taken all the same, so that the rest can be looked at; undefined where nothing can be trusted.
 */
export async function openManifest(
  reader: SiteReader,
  options: OpenManifestOptions,
): Promise<OpenedManifest | undefined> {
  const rootEnvelope = await openRoot(reader, options)
  if (rootEnvelope === undefined) return undefined
  const manifest = new TrustedManifest(await openPinnedRoot(rootEnvelope))
  const hasFresh = await acceptFresh(reader, manifest, options)
  if (!hasFresh || manifest.fresh === undefined) return undefined
  const hasHead = await acceptHead(reader, manifest, manifest.fresh.head, options)
  return hasHead ? { manifest, rootEnvelope } : undefined
}

/** Where a file of the manifest lies on a site. */
export function manifestPath(name: string): string {
  return `/${manifestFolder}/${name}`
}

async function openRoot(reader: SiteReader, options: OpenManifestOptions): Promise<string | undefined> {
  const path = manifestPath(manifestFiles.root)
  const envelope = await readEnvelope(reader, path, rootLimitBytes, options.report)
  const trusted = options.pinnedRoot ?? envelope
  if (options.pinnedRoot !== undefined && envelope !== undefined && envelope !== options.pinnedRoot) {
    options.report(path, 'not the root that was given')
  }
  if (trusted === undefined) return undefined
  let root: Root
  try {
    root = await openPinnedRoot(trusted)
  } catch (error) {
    options.report(path, reasonOf(error))
    return undefined
  }
  if (root.expires <= options.now) options.report(path, `expired on ${dayOf(root.expires)}`)
  return trusted
}

async function acceptFresh(
  reader: SiteReader,
  manifest: TrustedManifest,
  { now, report }: OpenManifestOptions,
): Promise<boolean> {
  const path = manifestPath(manifestFiles.fresh)
  const envelope = await readEnvelope(reader, path, freshLimitBytes, report)
  if (envelope === undefined) return false
  try {
    await manifest.acceptFresh(envelope, now)
    return true
  } catch (error) {
    report(path, reasonOf(error))
    if (!(error instanceof ProtocolError) || error.code !== 'expired') return false
  }
  const { roles, keys } = manifest.root
  const { issued } = parseFresh(await openEnvelope(envelope, mediaTypes.fresh, freshLimitBytes, roles.fresh, keys))
  await manifest.acceptFresh(envelope, issued)
  return true
}

async function acceptHead(
  reader: SiteReader,
  manifest: TrustedManifest,
  hash: ContentId,
  { now, report }: OpenManifestOptions,
): Promise<boolean> {
  const path = manifestPath(manifestFiles.head(hash))
  const envelope = await readEnvelope(reader, path, headLimitBytes, report)
  if (envelope === undefined) return false
  try {
    await manifest.acceptHead(envelope, now)
    return true
  } catch (error) {
    report(path, reasonOf(error))
    if (!(error instanceof ProtocolError) || error.code !== 'expired') return false
  }
  await manifest.acceptHead(envelope, 0) // no head has expired in 1970
  return true
}

async function readEnvelope(
  reader: SiteReader,
  path: string,
  bodyLimitBytes: number,
  report: ReportProblem,
): Promise<string | undefined> {
  try {
    const file = await reader.read(path, bodyLimitBytes * 2) // base64 and the signatures come on top of the body
    if (file) return textOf(file.bytes)
    report(path, 'missing (does the host serve folders that begin with a dot?)')
  } catch (error) {
    report(path, reasonOf(error))
  }
  return undefined
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}
