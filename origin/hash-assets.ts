import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { utf8 } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import type { AssetSizes } from '../protocol/chunks.ts'
import { chunkSizeFor, hasList, hasPages, parseChunkList } from '../protocol/chunks.ts'
import { contentIdOfDigest } from '../protocol/hash.ts'
import { eachBounded } from './each-bounded.ts'
import { isSettled } from './file-identity.ts'
import type { HashCache, KnownHash } from './hash-cache.ts'
import type { HashedFile } from './hash-file.ts'
import { hashBytes } from './hash-file.ts'
import type { Hasher } from './hash-pool.ts'
import type { Inject } from './inject.ts'
import { injectHtml, isInjectable } from './inject-html.ts'
import type { ManifestFolder } from './manifest-folder.ts'
import type { ScannedFile, SkippedFile } from './scan.ts'
import { writeAtomically } from './write-atomically.ts'

const filesAtOnce = 1024

export interface HashedAsset {
  readonly path: string
  /** Absolute path of the bytes to serve. */
  readonly file: string
  /** What `identityOf` said of the file when it was read; undefined for a copy, which never changes. */
  readonly identity: string | undefined
  /** What `identityOf` said of the site's own file, be the bytes to serve a copy or not. */
  readonly sourceIdentity: string
  readonly isUtf8: boolean
  readonly size: number
  readonly id: ContentId
}

export interface PublishProgress {
  /** Files whose hash is known, of those that were found. */
  readonly files: number
  readonly totalFiles: number
  readonly bytes: number
  readonly totalBytes: number
}

interface HashAssetsOptions {
  readonly known: HashCache
  readonly hasher: Hasher
  /** Takes the chunk lists. */
  readonly manifest: ManifestFolder
  readonly inject?: Injection | undefined
  /** Seconds since 1970. */
  readonly now: number
  readonly onProgress?: ((progress: PublishProgress) => void) | undefined
  readonly signal?: AbortSignal | undefined
}

interface Injection {
  readonly into: Inject
  /** Where the copies lie, by their ids. */
  readonly folder: string
}

/** `bytes` where they are not those of the file, `isCopied` where such bytes are there from an earlier run. */
type Content = HashedFile & { readonly bytes?: Uint8Array; readonly isCopied?: boolean }

interface HashedAssets {
  /** In path order. */
  readonly assets: readonly HashedAsset[]
  /** What the next run is to know. */
  readonly known: readonly KnownHash[]
  readonly skipped: readonly SkippedFile[]
  /** Files whose content is not what was known of them. */
  readonly hashedFiles: number
}

/** The content id of every file, from what is known or by reading it; chunk lists go into the manifest folder. */
export async function hashAssets(files: readonly ScannedFile[], options: HashAssetsOptions): Promise<HashedAssets> {
  const run = new HashRun(files, options)
  await run.finish()
  const { known, skipped, hashedFiles } = run
  const isThere = <Item>(item: Item | undefined): item is Item => item !== undefined
  return { assets: run.assets.filter(isThere), known: known.filter(isThere), skipped, hashedFiles }
}

class HashRun {
  /** By the place of the file. */
  readonly assets: (HashedAsset | undefined)[]
  readonly known: (KnownHash | undefined)[]
  readonly skipped: SkippedFile[] = []
  hashedFiles = 0
  readonly #files: readonly ScannedFile[]
  readonly #options: HashAssetsOptions
  #doneFiles = 0
  #doneBytes = 0
  /** What stands for what is injected. */
  #injected: string | undefined

  constructor(files: readonly ScannedFile[], options: HashAssetsOptions) {
    this.#files = files
    this.#options = options
    this.assets = Array.from({ length: files.length })
    this.known = Array.from({ length: files.length })
  }

  async finish(): Promise<void> {
    const { hasher, signal } = this.#options
    const totalBytes = this.#files.reduce((sum, file) => sum + file.size, 0)
    const unknown: [at: number, file: ScannedFile][] = []
    for (const [at, file] of this.#files.entries()) {
      if (at % filesAtOnce === 0) await setImmediate()
      signal?.throwIfAborted()
      if (this.#keepKnown(file, at)) this.#count(file)
      else unknown.push([at, file])
    }
    if (this.#doneFiles > 0) this.#tell(totalBytes)
    await eachBounded(unknown, hasher.width, async ([at, file]) => {
      signal?.throwIfAborted()
      const content = await this.#read(file)
      if (content) await this.#keep(file, at, content)
      this.#count(file)
      this.#tell(totalBytes)
    })
  }

  #count({ size }: ScannedFile): void {
    this.#doneFiles += 1
    this.#doneBytes += size
  }

  #tell(totalBytes: number): void {
    const [files, totalFiles, bytes] = [this.#doneFiles, this.#files.length, this.#doneBytes]
    this.#options.onProgress?.({ files, totalFiles, bytes, totalBytes })
  }

  /** Of a million files nearly all are as they were: without a promise each. False for the others. */
  #keepKnown({ path, file, size, identity }: ScannedFile, at: number): boolean {
    const { known, inject } = this.#options
    const before = known.find(path)
    if (before?.identity !== identity || hasList({ size, chunkSize: chunkSizeFor(size) })) return false
    if (inject && isInjectable({ path, size })) return false
    const { id, isUtf8 } = before
    // The string that is kept anyway: the scan's own can go.
    this.assets[at] = { path, file, identity: before.identity, sourceIdentity: before.identity, size, id, isUtf8 }
    this.known[at] = before
    return true
  }

  /** Undefined where the file cannot be read: then it stays unlisted and the origin answers for it. */
  async #read(file: ScannedFile): Promise<Content | undefined> {
    const { known, inject, manifest, hasher } = this.#options
    const before = known.find(file.path)
    try {
      if (inject && isInjectable(file)) return await this.#inject(file, inject, before)
      if (before?.identity === file.identity && (await isListed(before, manifest))) return { ...before, lists: [] }
      return await hasher.hash(file.file)
    } catch (error) {
      this.skipped.push({ file: file.path, reason: error instanceof Error ? error.message : String(error) })
      return undefined
    }
  }

  /** The page as visitors get it. It is read again where the page or what is injected is new. */
  async #inject(file: ScannedFile, { into, folder }: Injection, before: KnownHash | undefined): Promise<Content> {
    // Never taken for the bytes of the file itself, should a later run inject nothing or something else.
    this.#injected ??= injectionKey(into)
    const identity = `injected ${this.#injected} ${file.identity}`
    if (before?.identity === identity && (await sizeOf(join(folder, before.id))) === before.size) {
      if (await isListed(before, this.#options.manifest)) return { ...before, lists: [], isCopied: true }
    }
    const page = await readFile(file.file)
    const bytes = injectHtml(page, (html) => into(html, file.path))
    // A page that got nothing is looked at each time: its owner is told of it.
    const isChanged = bytes.length !== page.length
    return { ...hashBytes(bytes), identity: isChanged ? identity : `injected ${file.identity}`, bytes }
  }

  async #keep({ path, file, identity: scanned }: ScannedFile, at: number, content: Content): Promise<void> {
    const { known, inject, manifest, now } = this.#options
    const { id, size, lists, identity, isUtf8, bytes, isCopied } = content
    const copy = inject && (bytes || isCopied) ? join(inject.folder, id) : undefined
    for (const list of lists) await manifest.putPart(list.id, list.bytes)
    if (copy && bytes && (await sizeOf(copy)) !== size) await writeAtomically(copy, bytes)
    if (known.find(path)?.id !== id) this.hashedFiles += 1
    const source = copy
      ? { file: copy, identity: undefined, sourceIdentity: scanned }
      : { file, identity, sourceIdentity: identity }
    this.assets[at] = { path, ...source, size, id, isUtf8 }
    if (isSettled(identity, now)) this.known[at] = { path, identity, size, id, isUtf8 }
  }
}

/** Another one where the tag is another: it shows in any page. */
function injectionKey(into: Inject): string {
  return hashBytes(utf8(into('<!doctype html><head></head>', '/index.html'))).id.slice(0, 16)
}

async function sizeOf(file: string): Promise<number | undefined> {
  return (await stat(file).catch(() => undefined))?.size
}

async function isListed({ id, size }: KnownHash, manifest: ManifestFolder): Promise<boolean> {
  const asset = { id, size, chunkSize: chunkSizeFor(size) }
  if (!hasList(asset)) return true
  return manifest.hasPart(id) && (await readPageIds(asset, manifest)).every((page) => manifest.hasPart(page))
}

/** The pages of an asset's list, as far as the list in the folder can be read. */
export async function readPageIds(
  asset: AssetSizes & { readonly id: ContentId },
  manifest: Pick<ManifestFolder, 'readPart'>,
): Promise<readonly ContentId[]> {
  if (!hasPages(asset)) return []
  return parseChunkList(await manifest.readPart(asset.id), asset).digests.map(contentIdOfDigest)
}
