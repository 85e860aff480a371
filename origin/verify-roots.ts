import { rootChainLimit } from '../protocol/limits.ts'
import type { Root } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { openNextRoot, openPinnedRoot } from '../protocol/trusted-manifest.ts'

/** What the way from root to root is read with. */
export interface RootsReading {
  /** The envelope of a root; undefined where it cannot be had. */
  readonly readRoot: (name: string) => Promise<string | undefined>
  readonly report: (name: string, problem: string) => void
}

/** The newest root of a site, and every envelope on the way to it, any of which a worker file may pin. */
export interface VerifiedRoots {
  readonly root: Root
  readonly envelope: string
  readonly way: readonly string[]
}

/**
 * Reads the newest root of a site and the way there, and reports where a visitor who is behind would get no further.
 *
 * @param pinned the envelope of a root to begin at; else the site's own is believed
 */
export async function openRoots(pinned: string | undefined, reading: RootsReading): Promise<VerifiedRoots | undefined> {
  const shown = await reading.readRoot(manifestFiles.root)
  const trusted = pinned ?? shown
  if (trusted === undefined) return undefined
  try {
    const root = await openPinnedRoot(trusted)
    if (shown === undefined || shown === trusted)
      return { root, envelope: trusted, way: await walkBack(trusted, reading) }
    return await walkOn(trusted, shown, reading)
  } catch (error) {
    reading.report(manifestFiles.root, reasonOf(error))
    return undefined
  }
}

/** From the root that was given to the one that the site shows, as a visitor's worker goes. */
async function walkOn(pinned: string, shown: string, { readRoot, report }: RootsReading): Promise<VerifiedRoots> {
  const way = [pinned]
  let root = await openPinnedRoot(pinned)
  for (let envelope = pinned; envelope !== shown; way.push(envelope)) {
    const name = manifestFiles.rootOf(root.version + 1)
    const next = way.length > rootChainLimit ? undefined : await readRoot(name)
    const followed = next === undefined ? undefined : await openNextRoot(root, next).catch(reasonOf)
    if (next === undefined || followed === undefined || typeof followed === 'string') {
      if (typeof followed === 'string') report(name, followed)
      report(manifestFiles.root, 'not the root that was given, and none that follows it')
      break
    }
    root = followed
    envelope = next
  }
  return { root, envelope: way.at(-1) ?? pinned, way }
}

/** From the newest to the oldest that is there. The first is in worker files only. */
async function walkBack(newest: string, { readRoot, report }: RootsReading): Promise<readonly string[]> {
  const way = [newest]
  let [after, root] = [newest, await openPinnedRoot(newest)]
  if (root.version === 1) return way
  const own = manifestFiles.rootOf(root.version)
  const copy = await readRoot(own)
  if (copy !== undefined && copy !== newest) report(own, `another root than ${manifestFiles.root}`)
  while (root.version > 2 && way.length < rootChainLimit) {
    const name = manifestFiles.rootOf(root.version - 1)
    const envelope = await readRoot(name)
    if (envelope === undefined) break
    try {
      const before = await openPinnedRoot(envelope)
      await openNextRoot(before, after)
      ;[after, root] = [envelope, before]
      way.unshift(envelope)
    } catch (error) {
      report(name, reasonOf(error))
      break
    }
  }
  return way
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
