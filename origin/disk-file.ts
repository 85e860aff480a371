import type { BigIntStats } from 'node:fs'
import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, realpath } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { identityOf } from './file-identity.ts'

export interface OpenFile {
  readonly handle: FileHandle
  readonly stats: BigIntStats
}

export type Found = ({ readonly type: 'file' } & OpenFile) | { readonly type: 'folder' }

/** What there is at a canonical path below a folder, or undefined. A file comes open; the caller closes it. */
export async function findOnDisk(folder: string, path: string, hidden: readonly string[]): Promise<Found | undefined> {
  const segments = path.slice(1).split('/').map(decodeURIComponent)
  if (segments.some(isHidden)) return undefined
  try {
    const [root, real] = await Promise.all([realpath(folder), realpath(join(folder, ...segments))])
    // A symlink may lead anywhere: what it leads to must be what the folder would serve anyway.
    if (!isInside(real, root) || relative(root, real).split(sep).some(isHidden)) return undefined
    if (hidden.some((secret) => isInside(real, secret))) return undefined
    return await openFile(real)
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw error
  }
}

/** Undefined where it is neither a file nor a folder. */
export async function openFile(file: string): Promise<Found | undefined> {
  // Without O_NONBLOCK, opening a named pipe waits for its writer.
  const handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = await handle.stat({ bigint: true })
    if (stats.isFile()) return { type: 'file', handle, stats }
    await handle.close()
    return stats.isDirectory() ? { type: 'folder' } : undefined
  } catch (error) {
    await handle.close()
    throw error
  }
}

function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** Whether a published file is still what was read; one without identity is a copy that never changes. */
export function isUnchanged({ identity }: { readonly identity: string | undefined }, stats: BigIntStats): boolean {
  return identity === undefined || identity === identityOf(stats)
}

/** Whether an error says no more than: there is nothing that we may serve. */
export function isAbsence(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return ['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ELOOP', 'ENAMETOOLONG', 'EISDIR', 'ENXIO'].includes(String(code))
}

/** Dotfiles hold secrets (`.git`, `.env`); `/.well-known/` is the one public name of that form (RFC 8615). */
function isHidden(segment: string, at: number): boolean {
  return segment.startsWith('.') && !(at === 0 && segment === '.well-known')
}
