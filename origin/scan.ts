import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pathLimit } from '../protocol/limits.ts'
import { pathOfFile } from '../protocol/paths.ts'
import { eachBounded } from './each-bounded.ts'
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

const statsInFlight = 32

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

  async function visitFolder(below: string, realFolder: string, ancestors: ReadonlySet<string>): Promise<void> {
    signal?.throwIfAborted()
    const entries = await readdir(join(root, below), { withFileTypes: true }).catch((error: unknown) => {
      if (below === '') throw error
      skipped.push({ file: `/${below}`, reason: error instanceof Error ? error.message : String(error) })
      return []
    })
    const folders: [below: string, real: string][] = []
    await eachBounded(entries, statsInFlight, async (entry) => {
      if (entry.name.startsWith('.')) return
      const name = below === '' ? entry.name : `${below}/${entry.name}`
      const outcome = await visit(name, entry, realFolder)
      if ('reason' in outcome) skipped.push({ file: `/${name}`, reason: outcome.reason })
      else if ('folder' in outcome) folders.push([name, outcome.folder])
      else found.push(outcome)
    })
    for (const [name, real] of folders) {
      if (ancestors.has(real)) skipped.push({ file: `/${name}`, reason: 'a link to a folder that holds it' })
      else await visitFolder(name, real, new Set(ancestors).add(real))
    }
  }

  async function visit(name: string, entry: Dirent, realFolder: string): Promise<Outcome> {
    const file = join(root, name)
    try {
      const real = entry.isSymbolicLink() ? await realpath(file) : join(realFolder, entry.name)
      if (!isPublishable(root, real)) return { reason: 'a link that leads out of the published files' }
      if (hidden.some((place) => segmentsBelow(place, real))) return { reason: 'Nearhand keeps keys or state there' }
      const stats = await stat(file, { bigint: true })
      if (stats.isDirectory()) return { folder: real }
      if (!stats.isFile()) return { reason: 'neither a file nor a folder' }
      const path = pathOfFile(name)
      if (path === undefined) return { reason: `a name over ${pathLimit} characters, or one that no URL can spell` }
      return { path, file, size: Number(stats.size), identity: identityOf(stats) }
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error) }
    }
  }

  await visitFolder('', root, new Set([root]))
  found.sort((one, other) => (one.path < other.path ? -1 : 1))
  skipped.sort((one, other) => (one.file < other.file ? -1 : 1))
  return { files: found, skipped }
}

type Outcome = ScannedFile | { readonly folder: string } | { readonly reason: string }

function isPublishable(root: string, real: string): boolean {
  return segmentsBelow(root, real)?.every((segment) => !segment.startsWith('.')) ?? false
}
