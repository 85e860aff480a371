import { randomUUID } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

const temporary = /^\..+\.tmp$/

/** Writes beside the file and renames, so that a reader sees the old content or the new, never a part. */
export async function writeAtomically(file: string, content: string | Uint8Array | Iterable<string>): Promise<void> {
  const folder = dirname(file)
  const beside = join(folder, `.${basename(file)}.${randomUUID()}.tmp`)
  try {
    await writeFile(beside, content, { flag: 'wx' }).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error
      await mkdir(folder, { recursive: true })
      await writeFile(beside, content, { flag: 'wx' })
    })
    await rename(beside, file)
  } catch (cause) {
    await rm(beside, { force: true })
    throw new Error(`Cannot write ${file}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}

/** Whether a file is what a crash left of `writeAtomically`, or a write that still goes on. */
export function isTemporary(name: string): boolean {
  return temporary.test(name)
}
