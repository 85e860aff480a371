import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { rootChainLimit } from '../protocol/limits.ts'
import type { Root } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { openNextRoot, openPinnedRoot } from '../protocol/trusted-manifest.ts'

export interface CurrentRoot {
  readonly root: Root
  readonly envelope: string
}

/** Every root of the folder, by version, each following the one before, the newest last. */
export async function readRoots(folder: string, current: CurrentRoot): Promise<ReadonlyMap<number, string>> {
  const roots = new Map<number, string>()
  for (const name of await readdir(join(folder, 'roots')).catch(() => [])) {
    const version = Number(/^([1-9]\d{0,8})\.json$/.exec(name)?.[1] ?? 0)
    if (version === 0 || version >= current.root.version) continue
    const envelope = await readText(join(folder, manifestFiles.rootOf(version)))
    if (envelope !== undefined) roots.set(version, envelope)
  }
  const chain = new Map([[current.root.version, current.envelope]])
  let after = current
  for (let version = current.root.version - 1; chain.size < rootChainLimit; version -= 1) {
    const envelope = roots.get(version)
    if (envelope === undefined) break
    const before = await openPinnedRoot(envelope)
    await openNextRoot(before, after.envelope).catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new Error(`Cannot use roots/${version}.json in ${folder}: ${reason}`, { cause })
    })
    chain.set(version, envelope)
    after = { root: before, envelope }
  }
  return new Map([...chain].toReversed())
}

export async function readText(file: string): Promise<string | undefined> {
  const limitBytes = 256 * 1024
  try {
    if ((await stat(file)).size > limitBytes) throw new Error(`over ${limitBytes} bytes`)
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new Error(`Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
