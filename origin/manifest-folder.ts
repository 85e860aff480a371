import { readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import { parseContentId } from '../protocol/ids.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { eachBounded } from './each-bounded.ts'
import { isTemporary, writeAtomically } from './write-atomically.ts'

const leftoverMs = 3_600_000
const writesInFlight = 16
// The folders that `manifestFiles` puts heads and parts into.
const headsFolder = 'heads'
const partsFolder = 'parts'

/**
 * The manifest files of one site on disk. Parts and heads are named by what they hold and are written once; the
 * two files that change, `root.json` and `fresh.json`, are the caller's to write last.
 */
export class ManifestFolder {
  readonly #folder: string
  readonly #parts: Set<string>

  private constructor(folder: string, parts: Set<string>) {
    this.#folder = folder
    this.#parts = parts
  }

  static async open(folder: string): Promise<ManifestFolder> {
    return new ManifestFolder(folder, new Set(await list(join(folder, partsFolder))))
  }

  hasPart(id: ContentId): boolean {
    return this.#parts.has(id)
  }

  async putPart(id: ContentId, bytes: Uint8Array): Promise<void> {
    if (this.#parts.has(id)) return
    await writeAtomically(join(this.#folder, manifestFiles.part(id)), bytes)
    this.#parts.add(id)
  }

  async putParts(parts: ReadonlyMap<ContentId, Uint8Array>): Promise<void> {
    const missing = [...parts].filter(([id]) => !this.#parts.has(id))
    await eachBounded(missing, writesInFlight, ([id, bytes]) => this.putPart(id, bytes))
  }

  async readPart(id: ContentId): Promise<Bytes> {
    return new Uint8Array(await readFile(join(this.#folder, manifestFiles.part(id))))
  }

  /** The envelopes of all heads that are there, by the hash that names them. */
  async readHeads(): Promise<Map<ContentId, string>> {
    const heads = new Map<ContentId, string>()
    for (const name of await list(join(this.#folder, headsFolder))) {
      const hash = parseContentId(name.replace(/\.json$/, ''))
      if (hash) heads.set(hash, await readFile(join(this.#folder, headsFolder, name), 'utf8'))
    }
    return heads
  }

  putHead(hash: ContentId, envelope: string): Promise<void> {
    return this.#putChanged(manifestFiles.head(hash), envelope)
  }

  /** All that are known, by version: the newest is the last, and what `root.json` says. */
  async putRoots(roots: ReadonlyMap<number, string>): Promise<void> {
    for (const [version, envelope] of roots) await this.#putChanged(manifestFiles.rootOf(version), envelope)
    const newest = [...roots.values()].at(-1)
    if (newest !== undefined) await this.#putChanged(manifestFiles.root, newest)
  }

  putFresh(envelope: string): Promise<void> {
    return this.#putChanged(manifestFiles.fresh, envelope)
  }

  /**
   * Removes the heads and parts that are not named, and what crashed writes left behind.
   *
   * @param now milliseconds since 1970
   */
  async prune(heads: ReadonlySet<ContentId>, parts: ReadonlySet<ContentId>, now: number): Promise<void> {
    for (const folder of ['.', headsFolder, partsFolder]) {
      for (const name of await list(join(this.#folder, folder))) {
        const file = join(this.#folder, folder, name)
        const id = parseContentId(name.replace(/\.json$/, ''))
        const isUnused = id !== undefined && !(folder === partsFolder ? parts : heads).has(id)
        const isLeftover = isTemporary(name) && (await stat(file)).mtimeMs < now - leftoverMs
        if (!isUnused && !isLeftover) continue
        await rm(file, { force: true })
        if (folder === partsFolder) this.#parts.delete(name)
      }
    }
  }

  async #putChanged(name: string, content: string): Promise<void> {
    const file = join(this.#folder, name)
    const present = await readFile(file, 'utf8').catch(() => undefined)
    if (present !== content) await writeAtomically(file, content)
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
