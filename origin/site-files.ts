import { createHash } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { realpath } from 'node:fs/promises'
import type { ContentId } from '../protocol/ids.ts'
import { canonicalPath, rowPath } from '../protocol/paths.ts'
import { cacheControlOf } from './cache-control.ts'
import type { OriginConfig } from './config.ts'
import type { OpenFile } from './disk-file.ts'
import { findOnDisk, isAbsence, isUnchanged, openFile } from './disk-file.ts'
import { compileHeaderRules } from './header-table.ts'
import { injectionOf } from './inject.ts'
import { injectHtml, isInjectable } from './inject-html.ts'
import type { PublishedAsset } from './publish.ts'
import type { Publisher } from './publisher.ts'
import type { Representation } from './representation.ts'
import { bytesRepresentation, fileRepresentation } from './representation.ts'

export type SiteAnswer =
  | { readonly type: 'representation'; readonly representation: Representation }
  /** A folder asked for without its slash. */
  | { readonly type: 'redirect'; readonly path: string }

interface SiteFilesOptions {
  readonly folder: string
  /** Real paths that are never served, such as that of the keys. */
  readonly hidden: readonly string[]
  readonly cacheSeconds: number
  readonly headersOf: (path: string) => Representation['headers']
  readonly inject: ((html: string) => string) | undefined
  readonly publisher: Publisher
}

/** What the site has at a path: what was published, and what lies in the folder beside it. */
export class SiteFiles {
  readonly #options: SiteFilesOptions

  private constructor(options: SiteFilesOptions) {
    this.#options = options
  }

  static async open(config: OriginConfig, publisher: Publisher): Promise<SiteFiles> {
    const { folder, cacheSeconds } = config
    const hidden = await Promise.all([config.state, config.keys].map((place) => realpath(place)))
    const headersOf = compileHeaderRules(config.headers)
    return new SiteFiles({ folder, hidden, cacheSeconds, headersOf, inject: injectionOf(config), publisher })
  }

  /** @param pathname below the site's base, beginning with `/` */
  async find(pathname: string): Promise<SiteAnswer | undefined> {
    const path = canonicalPath(pathname)
    if (path === undefined) return undefined
    const { publication } = this.#options.publisher
    const asset = publication?.assets.get(rowPath(path))
    const published = asset && (await this.#openPublished(asset, publication?.root))
    if (published) return { type: 'representation', representation: published }
    const found = await findOnDisk(this.#options.folder, rowPath(path), this.#options.hidden)
    if (found?.type === 'file') {
      return { type: 'representation', representation: await this.#unlisted(rowPath(path), found) }
    }
    return found?.type === 'folder' && (await this.#hasIndex(path)) ? { type: 'redirect', path: `${path}/` } : undefined
  }

  async #openPublished(asset: PublishedAsset, root: string | undefined): Promise<Representation | undefined> {
    const absent = (error: unknown): undefined => {
      if (!isAbsence(error)) throw error
    }
    // A deploy that leads a link to its next release leaves the files of the last one as they were.
    const isCurrent = root === (await realpath(this.#options.folder).catch(absent))
    const found = await openFile(asset.file).catch(absent)
    if (
      isCurrent &&
      found?.type === 'file' &&
      isUnchanged(asset, found.stats) &&
      found.stats.size === BigInt(asset.size)
    ) {
      const headers = this.#headersOf(asset.path, asset.headers)
      return fileRepresentation(found.handle, { size: asset.size, etag: etagOfContent(asset.id), headers })
    }
    this.#options.publisher.noticeChange()
    if (found?.type === 'file') await found.handle.close()
    return undefined
  }

  async #unlisted(path: string, { handle, stats }: OpenFile): Promise<Representation> {
    const headers = this.#headersOf(path, this.#options.headersOf(path))
    const { inject } = this.#options
    const size = Number(stats.size)
    if (inject && isInjectable({ path, size })) return readInjected(handle, headers, inject)
    const facts = { size, etag: etagOfFile(stats), modifiedMs: Number(stats.mtimeMs) }
    return fileRepresentation(handle, { ...facts, headers })
  }

  async #hasIndex(path: string): Promise<boolean> {
    if (this.#options.publisher.publication?.assets.has(`${path}/index.html`)) return true
    const found = await findOnDisk(this.#options.folder, `${path}/index.html`, this.#options.hidden)
    if (found?.type === 'file') await found.handle.close()
    return found?.type === 'file'
  }

  #headersOf(path: string, headers: Representation['headers']): Representation['headers'] {
    if (headers.some(([name]) => name === 'cache-control')) return headers
    const contentType = headers.find(([name]) => name === 'content-type')?.[1] ?? ''
    return [...headers, ['cache-control', cacheControlOf(path, contentType, this.#options.cacheSeconds)]]
  }
}

/** A page that was not published yet gets the tag all the same. */
async function readInjected(
  handle: FileHandle,
  headers: Representation['headers'],
  inject: (html: string) => string,
): Promise<Representation> {
  try {
    const bytes = Uint8Array.from(injectHtml(await handle.readFile(), inject))
    const digest = createHash('sha256').update(bytes).digest('hex')
    return bytesRepresentation(bytes, { etag: `"${digest.slice(0, 32)}"`, headers })
  } finally {
    await handle.close()
  }
}

export function etagOfContent(id: ContentId): string {
  return `"${id.slice(0, 32)}"`
}

/** Strong as far as the file system tells every change: inode, size and time of change. */
function etagOfFile({ ino, size, mtimeNs }: BigIntStats): string {
  return `"${[ino, size, mtimeNs].map((number) => number.toString(36)).join('-')}"`
}
