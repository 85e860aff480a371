import type { Asset } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import type { Head } from '../protocol/manifest.ts'
import type { SiteKeys } from './keys.ts'

export interface PublishedAsset extends Asset {
  /** Absolute path of the bytes to serve: the file of the site, or its injected copy. */
  readonly file: string
}

export interface HeaderRule {
  /** Of the form of `compilePatterns`, matched against canonical paths. */
  readonly pattern: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
}

export interface PublishProgress {
  /** Files whose hash is known, of those that were found. */
  readonly files: number
  readonly totalFiles: number
  readonly bytes: number
  readonly totalBytes: number
}

export interface PublishOptions {
  /** The site. Dotfiles in it are never published. */
  readonly folder: string
  /** The manifest folder, see `manifestFolder`. */
  readonly out: string
  /** Keeps what is known of the files, so that only changed ones are read again. */
  readonly state: string
  readonly keys: SiteKeys
  /** Seconds since 1970. */
  readonly now: number
  /** Later rules win. Default: content-type alone. */
  readonly headers?: readonly HeaderRule[]
  /** Path prefixes that get swarms of their own. Default: `/` alone. */
  readonly sections?: readonly string[]
  /** Canonical paths that are left out, such as those of the scripts. */
  readonly exclude?: readonly string[]
  /** HTML files are published as what this makes of them; the bytes are kept under `state`. */
  readonly inject?: (html: string) => string
  /** Life of a head. Default: 30 days. */
  readonly headSeconds?: number
  /** Life of the fresh that is written. Default: 24 hours. */
  readonly freshSeconds?: number
  /** Default: true. */
  readonly peers?: boolean
  /** Default: none. */
  readonly revoked?: readonly ContentId[]
  /** Larger files are left to the origin. Default and most: `assetLimitBytes`. */
  readonly maxAssetBytes?: number
  readonly onProgress?: (progress: PublishProgress) => void
  readonly signal?: AbortSignal
}

export interface Publication {
  readonly head: Head
  readonly headHash: ContentId
  readonly headEnvelope: string
  /** Undefined where the fresh key is not on this machine. */
  readonly freshEnvelope: string | undefined
  /** By canonical path, in path order. */
  readonly assets: ReadonlyMap<string, PublishedAsset>
  readonly skipped: readonly { readonly file: string; readonly reason: string }[]
  /** Files that had to be read: all others were known. */
  readonly hashedFiles: number
}

export async function publishFolder(_options: PublishOptions): Promise<Publication> {
  throw new Error('Cannot publish: not built yet')
}
