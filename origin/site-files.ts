import { isUtf8 } from 'node:buffer'
import type { BigIntStats } from 'node:fs'
import { realpath } from 'node:fs/promises'
import type { ContentId } from '../protocol/ids.ts'
import { injectLimitBytes } from '../protocol/limits.ts'
import { headHeader } from '../protocol/manifest.ts'
import { headHashes } from './head.ts'
import { rowPath, spellPath } from '../protocol/paths.ts'
import type { OriginConfig } from './config.ts'
import type { Found, OpenFile } from './disk-file.ts'
import { findOnDisk, isAbsence, openFile } from './disk-file.ts'
import { identityOf } from './file-identity.ts'
import type { HeadersOf } from './header-table.ts'
import { compileHeaderRules } from './header-table.ts'
import type { Inject } from './inject.ts'
import { injectionOf } from './inject.ts'
import { injectHtml, isInjectable } from './inject-html.ts'
import type { Publisher } from './publisher.ts'
import type { Representation } from './representation.ts'
import { bytesRepresentation, fileRepresentation } from './representation.ts'
import { etagOfBytes } from './serve-manifest.ts'
import { isUtf8File } from './utf8-check.ts'

export type SiteAnswer =
  | { readonly type: 'representation'; readonly representation: Representation }
  /** A folder asked for without its slash. */
  | { readonly type: 'redirect'; readonly path: string }
  /** The operator took it down. */
  | { readonly type: 'gone' }

interface SiteFilesOptions {
  readonly folder: string
  /** Real paths that are never served, such as that of the keys. */
  readonly hidden: readonly string[]
  readonly headersOf: HeadersOf
  readonly inject: Inject | undefined
  readonly publisher: Publisher
}

/** What the site has at a path: what was published, and what lies in the folder beside it. */
export class SiteFiles {
  readonly #options: SiteFilesOptions

  private constructor(options: SiteFilesOptions) {
    this.#options = options
  }

  static async open(config: OriginConfig, publisher: Publisher): Promise<SiteFiles> {
    const { folder } = config
    const hidden = await Promise.all([config.state, config.keys].map((place) => realpath(place)))
    const headersOf = compileHeaderRules(config.headers, config)
    return new SiteFiles({ folder, hidden, headersOf, inject: injectionOf(config), publisher })
  }

  /** @param pathname below the site's base, beginning with `/` */
  async find(pathname: string): Promise<SiteAnswer | undefined> {
    const path = spellPath(pathname)
    if (path === undefined) return undefined
    const { publication } = this.#options.publisher
    const id = publication?.assets.get(rowPath(path))?.id
    if (id !== undefined && this.#options.publisher.isRevoked(id)) return { type: 'gone' }
    // Each time from the folder's name on: links may lead elsewhere than when the folder was published.
    const found = await findOnDisk(this.#options.folder, rowPath(path), this.#options.hidden)
    const published = await this.#openPublished(rowPath(path), found)
    if (published) return { type: 'representation', representation: published }
    if (found?.type === 'file') {
      return { type: 'representation', representation: await this.#unlisted(rowPath(path), found) }
    }
    return found?.type === 'folder' && (await this.#hasIndex(path)) ? { type: 'redirect', path: `${path}/` } : undefined
  }

  /** Takes over the file that was found, where it is still the one that was published. */
  async #openPublished(path: string, found: Found | undefined): Promise<Representation | undefined> {
    const { publication } = this.#options.publisher
    const asset = publication?.assets.get(path)
    if (publication === undefined || asset === undefined) return undefined
    const source = found?.type === 'file' && identityOf(found.stats) === asset.sourceIdentity ? found : undefined
    const opened = source && asset.identity === undefined ? await openCopy(asset.file, source) : source
    if (opened?.stats.size !== BigInt(asset.size)) {
      this.#options.publisher.noticeChange()
      return undefined
    }
    const { size, headers } = asset
    // A page that is open while the site is deployed anew goes on with what it was made with.
    const pinned = isPage(headers) ? [...headers, [headHeader, headHashes(publication.heads)] as const] : headers
    return fileRepresentation(opened.handle, { size, etag: etagOfContent(asset.id), headers: pinned })
  }

  async #unlisted(path: string, { handle, stats }: OpenFile): Promise<Representation> {
    const { inject, headersOf } = this.#options
    const size = Number(stats.size)
    try {
      if (inject && isInjectable({ path, size })) {
        const bytes = Uint8Array.from(injectHtml(await handle.readFile(), (html) => inject(html, path)))
        await handle.close()
        return bytesRepresentation(bytes, { etag: etagOfBytes(bytes), headers: headersOf(path, isUtf8(bytes)) })
      }
      // A larger file is not read for this alone. It is hardly a page, and most text is UTF-8.
      const isText = size > injectLimitBytes || (await isUtf8File(handle, size))
      const facts = { size, etag: etagOfFile(stats), modifiedMs: Number(stats.mtimeMs) }
      return fileRepresentation(handle, { ...facts, headers: headersOf(path, isText) })
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  async #hasIndex(path: string): Promise<boolean> {
    if (this.#options.publisher.publication?.assets.has(`${path}/index.html`)) return true
    const found = await findOnDisk(this.#options.folder, `${path}/index.html`, this.#options.hidden)
    if (found?.type === 'file') await found.handle.close()
    return found?.type === 'file'
  }
}

/** The copy that stands for a file of the site, which is closed then; undefined where the copy is gone. */
async function openCopy(file: string, source: OpenFile): Promise<OpenFile | undefined> {
  const copy = await openFile(file).catch((error: unknown) => {
    if (isAbsence(error)) return undefined
    throw error
  })
  if (copy?.type !== 'file') return undefined
  await source.handle.close()
  return copy
}

function isPage(headers: Representation['headers']): boolean {
  return headers.some(([name, value]) => name === 'content-type' && value.startsWith('text/html'))
}

export function etagOfContent(id: ContentId): string {
  return `"${id.slice(0, 32)}"`
}

/** Strong as far as the file system tells every change: inode, size and time of change. */
function etagOfFile({ ino, size, mtimeNs }: BigIntStats): string {
  return `"${[ino, size, mtimeNs].map((number) => number.toString(36)).join('-')}"`
}
