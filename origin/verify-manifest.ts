import { textOf } from '../protocol/bytes.ts'
import { ProtocolError } from '../protocol/errors.ts'
import { freshLimitBytes, headLimitBytes, rootLimitBytes } from '../protocol/limits.ts'
import type { NamedHead } from '../protocol/manifest.ts'
import { manifestFiles, manifestFolder, mediaTypes, parseFresh } from '../protocol/manifest.ts'
import { openEnvelope } from '../protocol/signature.ts'
import { TrustedManifest } from '../protocol/trusted-manifest.ts'
import { openHead } from './head.ts'
import type { SiteReader } from './site-reader.ts'
import type { VerifiedRoots } from './verify-roots.ts'
import { openRoots } from './verify-roots.ts'

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
  /** The envelopes of roots that a worker file may pin, the newest last. */
  readonly roots: readonly string[]
}

/**
 * Reads root, fresh and heads and reports what a visitor would refuse. What has merely expired is reported and
 * taken all the same, so that the rest can be looked at; undefined where nothing can be trusted.
 */
export async function openManifest(
  reader: SiteReader,
  options: OpenManifestOptions,
): Promise<OpenedManifest | undefined> {
  const roots = await openSiteRoots(reader, options)
  if (roots === undefined) return undefined
  const manifest = new TrustedManifest(roots.root)
  const hasFresh = await acceptFresh(reader, manifest, options)
  if (!hasFresh || manifest.fresh === undefined) return undefined
  for (const named of manifest.fresh.heads) await acceptHead(reader, manifest, named, options)
  return manifest.heads.size > 0 ? { manifest, roots: roots.way } : undefined
}

/** Where a file of the manifest lies on a site. */
export function manifestPath(name: string): string {
  return `/${manifestFolder}/${name}`
}

async function openSiteRoots(reader: SiteReader, options: OpenManifestOptions): Promise<VerifiedRoots | undefined> {
  const { pinnedRoot, report, now } = options
  const roots = await openRoots(pinnedRoot, {
    readRoot: (name) => readEnvelope(reader, manifestPath(name), rootLimitBytes, report),
    report: (name, problem) => report(manifestPath(name), problem),
  })
  if (roots && roots.root.expires <= now) {
    report(manifestPath(manifestFiles.root), `expired on ${dayOf(roots.root.expires)}`)
  }
  return roots
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
  { role, hash }: NamedHead,
  { now, report }: OpenManifestOptions,
): Promise<void> {
  const path = manifestPath(manifestFiles.head(hash))
  const envelope = await readEnvelope(reader, path, headLimitBytes, report)
  if (envelope === undefined) return
  try {
    await manifest.acceptHead(envelope, now, role)
    return
  } catch (error) {
    report(path, reasonOf(error))
    if (!(error instanceof ProtocolError) || error.code !== 'expired') return
  }
  await manifest.acceptHead(envelope, (await openHead(envelope, manifest.root))?.head.created ?? now, role) // as of then
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
