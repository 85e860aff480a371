import { join } from 'node:path'
import type { PublishProgress } from './hash-assets.ts'
import { hashAssets } from './hash-assets.ts'
import { readHashCache, writeHashCache } from './hash-cache.ts'
import { createHasher } from './hash-pool.ts'
import type { Inject } from './inject.ts'
import { pruneInjected } from './inject-html.ts'
import type { ManifestFolder } from './manifest-folder.ts'
import type { ScannedFile } from './scan.ts'

interface HashSiteOptions {
  readonly state: string
  readonly inject?: Inject
  /** Seconds since 1970. */
  readonly now: number
  readonly onProgress?: (progress: PublishProgress) => void
  readonly signal?: AbortSignal
}

/** The ids of files, of which only changed ones are read: `state` remembers the others. */
export async function hashSite(
  files: readonly ScannedFile[],
  manifest: ManifestFolder,
  limitBytes: number,
  options: HashSiteOptions,
): ReturnType<typeof hashAssets> {
  const hasher = createHasher(limitBytes)
  const cacheFile = join(options.state, 'hashes')
  const injectedFolder = join(options.state, 'injected')
  try {
    const known = await readHashCache(cacheFile)
    const hashed = await hashAssets(files, {
      known,
      hasher,
      manifest,
      inject: options.inject && { into: options.inject, folder: injectedFolder },
      now: options.now,
      onProgress: options.onProgress,
      signal: options.signal,
    })
    await writeHashCache(cacheFile, hashed.known)
    // Those of the run before may still be on their way to visitors.
    await pruneInjected(injectedFolder, () => new Set([...known.all, ...hashed.assets].map(({ id }) => id)))
    return hashed
  } finally {
    await hasher.close()
  }
}
