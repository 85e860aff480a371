import { statSync } from 'node:fs'
import { readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { pathLimit } from '../protocol/limits.ts'
import { pathOfFile } from '../protocol/paths.ts'
import { identityOf } from './file-identity.ts'
import { segmentsBelow } from './real-place.ts'

export interface ScannedFile {
  /** Canonical. */
  readonly path: string
  /** Absolute. */
  readonly file: string
  readonly size: number
  /** See `identityOf`. */
  readonly identity: string
}

export interface SkippedFile {
  /** Where the file is below the folder, which is `/`. */
  readonly file: string
  readonly reason: string
}

export interface Scan {
  /** In path order. */
  readonly files: readonly ScannedFile[]
  readonly skipped: readonly SkippedFile[]
}

/**
 * Files that are looked at in one go. Synchronous calls take a tenth of the time of a promise each, which counts where
 * there are a million, and between so few of them a server that publishes by itself still answers.
 */
const filesAtOnce = 64
// Letters, digits and marks that stand for themselves in a path, as `canonicalPath` spells it.
const plainName = /^[\w\-!~*'()$&+,;=:@][\w\-.!~*'()$&+,;=:@]*$/

/**
 * Finds what a folder publishes. Names that begin with a dot are passed over without a word, as every web server
 * does: they hold keys and histories. Links are followed only to what the folder would publish anyway.
 *
 * @param hidden real places whose files are never listed
 */
export async function scanFolder(folder: string, hidden: readonly string[], signal?: AbortSignal): Promise<Scan> {
  const root = await realpath(folder).catch((cause: unknown) => {
    throw new Error(`Cannot read ${folder}: there is no such folder`, { cause })
  })
  const found: ScannedFile[] = []
  const skipped: SkippedFile[] = []

  const isHidden = (real: string): boolean => hidden.some((place) => real === place || real.startsWith(place + sep))

  async function visitFolder(below: string, realFolder: string, ancestors: ReadonlySet<string>): Promise<void> {
    const path = below === '' ? '/' : pathOfFile(`${below}/`)
    const entries = await readdir(join(root, below), { withFileTypes: true }).catch((error: unknown) => {
      if (below === '') throw error
      skipped.push({ file: `/${below}`, reason: reasonOf(error) })
      return []
    })
    // In about the order of their paths: to sort a million of them that come in any order takes seconds.
    entries.sort((one, other) => (one.name < other.name ? -1 : 1))
    const folders: [below: string, real: string][] = []
    for (const [at, entry] of entries.entries()) {
      if (at % filesAtOnce === 0) await setImmediate()
      signal?.throwIfAborted()
      if (entry.name.startsWith('.')) continue
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      const outcome = entry.isSymbolicLink()
        ? await visitLink(name, join(root, name))
        : visit(name, root + sep + name, realFolder + sep + entry.name, path)
      if ('reason' in outcome) skipped.push({ file: `/${name}`, reason: outcome.reason })
      else if ('folder' in outcome) folders.push([name, outcome.folder])
      else found.push(outcome)
    }
    for (const [name, real] of folders) {
      if (ancestors.has(real)) skipped.push({ file: `/${name}`, reason: 'a link to a folder that holds it' })
      else await visitFolder(name, real, new Set(ancestors).add(real))
    }
  }

  async function visitLink(name: string, file: string): Promise<Outcome> {
    try {
      const real = await realpath(file)
      if (!isPublishable(root, real)) return { reason: 'a link that leads out of the published files' }
      return visit(name, file, real, undefined)
    } catch (error) {
      return { reason: reasonOf(error) }
    }
  }

  /** @param folderPath the canonical path that the file's name is appended to, where it is known */
  function visit(name: string, file: string, real: string, folderPath: string | undefined): Outcome {
    try {
      if (isHidden(real)) return { reason: 'Nearhand keeps keys or state there' }
      const stats = statSync(file, { bigint: true })
      if (stats.isDirectory()) return { folder: real }
      if (!stats.isFile()) return { reason: 'neither a file nor a folder' }
      const path = pathIn(folderPath, name)
      if (path === undefined) return { reason: `a name over ${pathLimit} characters, or one that no URL can spell` }
      return { path, file, size: Number(stats.size), identity: identityOf(stats) }
    } catch (error) {
      return { reason: reasonOf(error) }
    }
  }

  await visitFolder('', root, new Set([root]))
  found.sort((one, other) => (one.path < other.path ? -1 : 1))
  skipped.sort((one, other) => (one.file < other.file ? -1 : 1))
  return { files: found, skipped }
}

type Outcome = ScannedFile | { readonly folder: string } | { readonly reason: string }

/** `pathOfFile`, without spelling the folder anew for each of its files. */
function pathIn(folderPath: string | undefined, name: string): string | undefined {
  const own = name.slice(name.lastIndexOf('/') + 1)
  const path = folderPath === undefined || !plainName.test(own) ? pathOfFile(name) : folderPath + own
  return path === undefined || path.length > pathLimit ? undefined : path
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function isPublishable(root: string, real: string): boolean {
  return segmentsBelow(root, real)?.every((segment) => !segment.startsWith('.')) ?? false
}
