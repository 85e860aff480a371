import type { Asset } from '../protocol/chunks.ts'
import { chunkSizeFor } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { assetLimitBytes } from '../protocol/limits.ts'
import { rolesInCharge } from '../protocol/head-roles.ts'
import type { BinRow, Head, HeadRole } from '../protocol/manifest.ts'
import { releaseRole } from '../protocol/manifest.ts'
import { sectionOf } from '../protocol/paths.ts'
import { isShareable } from '../protocol/shareable.ts'
import type { UrlRules } from '../protocol/url-rules.ts'
import { adoptHeads, matchRows, sectionsOf } from './adopt-heads.ts'
import { makeCatalogue } from './bins.ts'
import type { Switches } from './fresh.ts'
import { signFresh } from './fresh.ts'
import { assertOwnGuards } from './guards.ts'
import type { HashedAsset, PublishProgress } from './hash-assets.ts'
import { hashSite } from './hash-site.ts'
import type { HeadContent, HeadRules, SignedHead } from './head.ts'
import { headSignerOf, indexBudget, nextHead } from './head.ts'
import type { HeaderRule, Headers, HeadersOf, ServerHeaders } from './header-table.ts'
import { compileHeaderRules, makeHeaderTable } from './header-table.ts'
import type { Inject } from './inject.ts'
import type { SiteKeys } from './keys.ts'
import { ManifestFolder } from './manifest-folder.ts'
import { pruneManifest, readNewestHeads, rememberHeads } from './published-heads.ts'
import { realPlace } from './real-place.ts'
import type { ScannedFile, SkippedFile } from './scan.ts'
import { scanFolder } from './scan.ts'

/*
 * Folder -> scan -> ids of all files (known, or hashed by the pool) -> rows -> bins -> head -> fresh. Files are
 * written so that a reader at any moment finds a whole manifest: parts, then the head, then what names the head.
 */

export type { HeaderRule, PublishProgress }

export interface PublishOptions {
  /** The site. Dotfiles in it are never published. */
  readonly folder: string
  /** The manifest folder, see `manifestFolder`. */
  readonly out: string
  /** Keeps what is known of the files, so that only changed ones are read again. */
  readonly state: string
  readonly keys: SiteKeys
  /** Folders whose files are never listed, such as that of the keys. `state` always is one. */
  readonly hidden?: readonly string[]
  /** Seconds since 1970. */
  readonly now: number
  /** Later rules win. Default: content-type, and what our own server adds. */
  readonly headers?: readonly HeaderRule[]
  /** The site is served by our own server. Default: by another, whose headers are not known. */
  readonly server?: ServerHeaders
  /** Path prefixes that get swarms of their own. Default: `/` alone. */
  readonly sections?: readonly string[]
  /** Those of them whose assets are only for visitors whose pass names them. Default: none. */
  readonly guarded?: readonly string[]
  /** Which URLs are one asset. Default: each has one. */
  readonly urls?: UrlRules
  /** Canonical paths that are left out, such as those of the scripts. */
  readonly exclude?: readonly string[]
  /** HTML files are published as what this makes of them; the bytes are kept under `state`. */
  readonly inject?: Inject
  /** Life of a head. Default: 30 days. */
  readonly headSeconds?: number
  /** Life of the fresh that is written, no longer than the root allows. Default: as long as it allows. */
  readonly freshSeconds?: number
  /** What the operator switched. Default: `defaultSwitches`. */
  readonly switches?: Partial<Switches>
  /** Larger files are left to the origin. Default and most: `assetLimitBytes`. */
  readonly maxAssetBytes?: number
  /** Told of heads of others that cannot be taken over. Default: nobody. */
  readonly log?: (line: string) => void
  readonly onProgress?: (progress: PublishProgress) => void
  readonly signal?: AbortSignal
}

export interface PublishedAsset extends Asset {
  /** Absolute path of the bytes to serve: the file of the site, or its injected copy. */
  readonly file: string
  /** What `identityOf` said of the file when it was read; undefined for a copy, which never changes. */
  readonly identity: string | undefined
  /** What `identityOf` said of the site's own file, be the bytes to serve a copy or not. */
  readonly sourceIdentity: string
}

export interface Publication {
  /** That of the key here; where there is none, the release head, or the first that was found. */
  readonly head: Head
  readonly headHash: ContentId
  readonly headEnvelope: string
  /** All heads that hold: that one, and those of other roles that were found. In the order of the roles. */
  readonly heads: readonly SignedHead[]
  /** The sections that any of them names. */
  readonly sections: readonly string[]
  /** Undefined where the fresh key is not on this machine. */
  readonly freshEnvelope: string | undefined
  /** By canonical path, in path order. */
  readonly assets: ReadonlyMap<string, PublishedAsset>
  /** Path prefixes for which the key here may speak; only what lies below them is listed. */
  readonly prefixes: readonly string[]
  /** Files that are not listed because they lie elsewhere. */
  readonly outside: number
  /** Files that are not listed, and why. */
  readonly skipped: readonly SkippedFile[]
  /** Files whose content was not known. */
  readonly hashedFiles: number
}

const daySeconds = 24 * 3600

/** Publishes a folder; rejects, and changes nothing that a reader sees, where it cannot be read, signed or written. */
export async function publishFolder(options: PublishOptions): Promise<Publication> {
  const manifest = await ManifestFolder.open(options.out)
  const hidden = await Promise.all([options.state, ...(options.hidden ?? [])].map(realPlace))
  const scan = await scanFolder(options.folder, hidden, options.signal)
  const { root } = options.keys
  const { role: own, prefixes } = headSignerOf(options.keys) ?? { role: releaseRole, prefixes: ['/'] }
  const others = (await adoptHeads(manifest, { ...options, root, own, log: options.log ?? (() => {}) })).heads
  const roleAt = rolesInCharge(root, [own, ...others.map(({ role }) => role)])
  const headersOf = compileHeaderRules(options.headers ?? [], options.server)
  const { listed, left, outside } = chooseFiles(scan.files, roleAt, headersOf, options)
  const hashed = await hashSite(listed, manifest, limitOf(options), options)

  const previous = (await readNewestHeads(manifest, options.state, root)).get(own)
  const sections = [...new Set(['/', ...(options.sections ?? []), ...(options.guarded ?? [])])].toSorted()
  const rules = {
    ...(options.guarded?.length && { guarded: options.guarded }),
    ...(options.urls && { urls: options.urls }),
  }
  const ownFiles = others.length === 0 ? hashed.assets : hashed.assets.filter(({ path }) => roleAt(path) === own)
  const { content, assets } = describe(ownFiles, sections, rules, headersOf, previous?.head.headerSets ?? [])
  assertOwnGuards(assets, prefixes)
  const life = { now: options.now, seconds: options.headSeconds ?? 30 * daySeconds }
  const signed = await nextHead(previous, content, options.keys, life)
  const heads = [signed, ...others].toSorted((one, other) => one.role - other.role)
  const freshEnvelope = await signFreshIfPossible(heads, options)
  const matched = await matchRows(others, root, manifest, hashed.assets, own)

  options.signal?.throwIfAborted()
  await manifest.putParts(content.catalogue.parts)
  for (const { hash, envelope } of heads) await manifest.putHead(hash, envelope)
  await rememberHeads(options.state, heads, options.out)
  await manifest.putRoots(options.keys.roots)
  if (freshEnvelope !== undefined) await manifest.putFresh(freshEnvelope)
  if (signed !== previous)
    await pruneManifest(manifest, options.keys.root, options.now, { catalogue: content.catalogue, assets })
  return {
    head: signed.head,
    headHash: signed.hash,
    headEnvelope: signed.envelope,
    heads,
    sections: sectionsOf(heads),
    freshEnvelope,
    assets: inPathOrder(assets, matched.assets),
    prefixes,
    outside,
    skipped: [...scan.skipped, ...left, ...hashed.skipped, ...matched.skipped],
    hashedFiles: hashed.hashedFiles,
  }
}

function inPathOrder(
  own: readonly PublishedAsset[],
  others: ReadonlyMap<string, PublishedAsset>,
): ReadonlyMap<string, PublishedAsset> {
  const all = others.size === 0 ? own : [...own, ...others.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const byPath = new Map<string, PublishedAsset>()
  for (const asset of all) byPath.set(asset.path, asset)
  return byPath
}

function chooseFiles(
  files: readonly ScannedFile[],
  roleAt: (path: string) => HeadRole | undefined,
  headersOf: HeadersOf,
  options: PublishOptions,
): { listed: readonly ScannedFile[]; left: readonly SkippedFile[]; outside: number } {
  const exclude = new Set(options.exclude)
  const limit = limitOf(options)
  const included = files.filter(({ path }) => !exclude.has(path))
  // Visitors would pass over the rest: its key may not speak for it.
  const wanted = included.filter(({ path }) => roleAt(path) !== undefined)
  const listed: ScannedFile[] = []
  const left: SkippedFile[] = []
  const judged = new Map<Headers, boolean>()
  const mayShare = (headers: Headers): boolean => {
    const isKnown = judged.get(headers) ?? isShareable(new Map(headers))
    judged.set(headers, isKnown)
    return isKnown
  }
  for (const file of wanted) {
    const { path, size } = file
    if (size > limit) left.push({ file: path, reason: `over ${limit} bytes, left to the origin` })
    else if (mayShare(headersOf(path, true))) listed.push(file)
    else left.push({ file: path, reason: 'its headers keep it from being shared, left to the origin' })
  }
  return { listed, left, outside: included.length - wanted.length }
}

function describe(
  hashed: readonly HashedAsset[],
  sections: readonly string[],
  rules: HeadRules,
  headersOf: HeadersOf,
  previousSets: readonly Headers[],
): { content: HeadContent; assets: readonly PublishedAsset[] } {
  const kinds = new Map<string, Headers>()
  const seen = new Map<Headers, Headers>()
  const headersOfAll = hashed.map(({ path, isUtf8 }): Headers => {
    const headers = headersOf(path, isUtf8)
    const first = seen.get(headers) ?? kinds.get(JSON.stringify(headers)) ?? headers
    if (first === headers && !seen.has(headers)) kinds.set(JSON.stringify(headers), headers)
    seen.set(headers, first)
    return first
  })
  const headerSets = makeHeaderTable(previousSets, [...kinds.values()])
  const table = headerSets.map((headers) => JSON.stringify(headers))
  const position = new Map([...kinds].map(([key, headers]) => [headers, table.indexOf(key)]))
  const assets = hashed.map(({ path, file, identity, sourceIdentity, size, id }, at): PublishedAsset => {
    const headers = headersOfAll[at] ?? []
    const section = sectionOf(path, sections)
    const isGuarded = rules.guarded?.includes(section) === true
    const said = { section, ...(isGuarded && { isGuarded }) }
    return { path, file, identity, sourceIdentity, ...said, id, size, chunkSize: chunkSizeFor(size), headers }
  })
  const rows = assets.map(({ path, headers, size, chunkSize, id }): BinRow => {
    return [path, position.get(headers) ?? -1, size, chunkSize, id]
  })
  const fixed = { ...rules, sections, headerSets, assetCount: rows.length }
  return { content: { ...fixed, catalogue: makeCatalogue(rows, indexBudget(fixed)) }, assets }
}

async function signFreshIfPossible(heads: readonly SignedHead[], options: PublishOptions): Promise<string | undefined> {
  if (options.keys.fresh === undefined) return undefined
  return signFresh(options.keys, heads, {
    now: options.now,
    seconds: options.freshSeconds ?? options.keys.root.freshSeconds,
    ...options.switches,
  })
}

function limitOf(options: PublishOptions): number {
  return Math.min(options.maxAssetBytes ?? assetLimitBytes, assetLimitBytes)
}
