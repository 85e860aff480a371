import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as v from 'valibot'
import { utf8 } from '../protocol/bytes.ts'
import { contentIdOf } from '../protocol/hash.ts'
import type { ContentId } from '../protocol/ids.ts'
import { contentIdSchema, parseContentId } from '../protocol/ids.ts'
import { parseJson } from '../protocol/json.ts'
import { headsKept } from '../protocol/limits.ts'
import { isAbsence, isUnchanged } from './disk-file.ts'
import { headHashes } from './head.ts'
import type { Publication, PublishedAsset } from './publish.ts'
import { writeAtomically } from './write-atomically.ts'

const indexFile = 'heads.json'
const unfinished = '.new'
const indexLimitBytes = 256 * 1024 * 1024

interface KeptHead {
  /** Names all heads that held together. */
  readonly head: ContentId
  readonly assets: readonly (readonly [id: ContentId, size: number])[]
}

const indexSchema: v.GenericSchema<unknown, KeptHead[]> = v.array(
  v.strictObject({ head: contentIdSchema, assets: v.array(v.strictTuple([contentIdSchema, v.number()])) }),
)

/**
 * Copies of the content of the last heads, by content id: a visitor in the middle of a file when a deploy replaces
 * it reads on to the end. On file systems with reflinks a copy takes no space.
 */
export class ContentStore {
  readonly #folder: string
  readonly #limitBytes: number
  readonly #log: (line: string) => void
  readonly #stopped = new AbortController()
  #heads: readonly KeptHead[] = []
  #kept: ReadonlySet<ContentId> = new Set()
  #work: Promise<void>

  constructor(folder: string, limitBytes: number, log: (line: string) => void) {
    this.#folder = folder
    this.#limitBytes = limitBytes
    this.#log = log
    this.#work = this.#open()
  }

  /** The file of an id, or undefined where no copy is kept. */
  find(id: ContentId): string | undefined {
    return this.#kept.has(id) ? join(this.#folder, id) : undefined
  }

  /**
   * Copies what is new and drops what is too old or too much, after the runs before it. A failure is told: what is
   * published stays good without copies.
   */
  keep(publication: Publication): void {
    this.#work = this.#work.then(async () => {
      try {
        if (!this.#stopped.signal.aborted) await this.#keep(publication)
      } catch (error) {
        if (!this.#stopped.signal.aborted) this.#log(`Cannot keep copies of the content: ${String(error)}`)
      }
    })
  }

  async close(): Promise<void> {
    this.#stopped.abort(new Error('Cannot copy: the origin is closing'))
    await this.#work
  }

  async #open(): Promise<void> {
    try {
      const text = await readFile(join(this.#folder, indexFile), 'utf8')
      this.#heads = parseJson(indexSchema, text, indexLimitBytes, indexFile)
      this.#kept = await this.#present()
    } catch {
      this.#heads = [] // the first run, or an index of another version: only copies are lost
    }
  }

  async #keep(publication: Publication): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    // A guarded file is given by its own path alone, now and when it is an earlier one.
    const assets = [...publication.assets.values()].filter(({ isGuarded }) => isGuarded !== true)
    const heads = await contentIdOf(utf8(headHashes(publication.heads)))
    const head: KeptHead = { head: heads, assets: assets.map(({ id, size }) => [id, size]) }
    this.#heads = [head, ...this.#heads.filter((other) => other.head !== head.head)].slice(0, headsKept)
    const wanted = chooseContent(this.#heads, this.#limitBytes)
    const present = await this.#present()
    for (const id of present) if (!wanted.has(id)) await rm(join(this.#folder, id), { force: true })
    this.#kept = new Set([...present].filter((id) => wanted.has(id)))
    await writeAtomically(join(this.#folder, indexFile), JSON.stringify(this.#heads))
    const kept = new Set(this.#kept)
    for (const asset of assets) {
      this.#stopped.signal.throwIfAborted()
      if (wanted.has(asset.id) && !kept.has(asset.id) && (await this.#copy(asset))) this.#kept = kept.add(asset.id)
    }
  }

  /** False where the file is not any more what the id names: the next publication has what it became. */
  async #copy(asset: PublishedAsset): Promise<boolean> {
    const copy = join(this.#folder, asset.id)
    try {
      await copyFile(asset.file, copy + unfinished, constants.COPYFILE_FICLONE)
      if (!isUnchanged(asset, await stat(asset.file, { bigint: true }))) return false
      await rename(copy + unfinished, copy)
      return true
    } catch (error) {
      if (isAbsence(error)) return false
      throw error
    } finally {
      await rm(copy + unfinished, { force: true })
    }
  }

  async #present(): Promise<Set<ContentId>> {
    const names = await readdir(this.#folder)
    // A copy that a crash cut short.
    for (const name of names) if (name.endsWith(unfinished)) await rm(join(this.#folder, name), { force: true })
    return new Set(names.flatMap((name) => parseContentId(name) ?? []))
  }
}

/** The content of the newest heads first, as long as it fits. */
export function chooseContent(heads: readonly KeptHead[], limitBytes: number): Set<ContentId> {
  const chosen = new Set<ContentId>()
  let left = limitBytes
  for (const { assets } of heads) {
    for (const [id, size] of assets) {
      if (chosen.has(id) || size > left) continue
      chosen.add(id)
      left -= size
    }
  }
  return chosen
}
