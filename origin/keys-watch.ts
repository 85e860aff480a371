import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { keysAgainMs, keysPollMs } from '../protocol/limits.ts'
import { headSignerOf } from './head.ts'
import type { SiteKeys } from './keys.ts'
import { keyFiles, readKeys } from './keys.ts'

export interface KeysWatchOptions {
  readonly folder: string
  /** The keys that are used now. */
  readonly current: () => SiteKeys
  /** Takes others. Rejects where it cannot. */
  readonly change: (keys: SiteKeys) => Promise<void>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly log: (line: string) => void
}

/**
 * Looks at the key folder for as long as a server runs. Keys are carried file by file, so nothing is read before the
 * folder was quiet for one look; what cannot be used leaves the keys as they were, and is told once.
 */
export class KeysWatch {
  readonly #options: KeysWatchOptions
  readonly #timer: NodeJS.Timeout
  #seen: string | undefined
  #judged: string | undefined
  /** When keys that could not be taken are tried again, in milliseconds since 1970. */
  #againAt = Number.POSITIVE_INFINITY
  #isLooking = false

  constructor(options: KeysWatchOptions) {
    this.#options = options
    // Asked for, not told of, as the switches are.
    this.#timer = setInterval(() => void this.#lookOnce(), keysPollMs).unref()
  }

  close(): void {
    clearInterval(this.#timer)
  }

  async #lookOnce(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    const { folder, current, change, log, now } = this.#options
    try {
      const state = await stateOf(folder)
      const isQuiet = state === this.#seen
      this.#seen = state
      if (!isQuiet || (state === this.#judged && now() < this.#againAt)) return
      this.#judged = state
      this.#againAt = Number.POSITIVE_INFINITY
      const keys = await readNextKeys(folder, current())
      if (isSame(keys, current())) return
      // The keys are good: what failed may be the disk, or a publication at the same time.
      this.#againAt = now() + keysAgainMs
      await change(keys)
      this.#againAt = Number.POSITIVE_INFINITY
    } catch (error) {
      log(`${error instanceof Error ? error.message : String(error)}; the keys stay as they were`)
    } finally {
      this.#isLooking = false
    }
  }
}

/** Keys that may take the place of others while visitors are there. Throws where they may not. */
export async function readNextKeys(folder: string, before: SiteKeys): Promise<SiteKeys> {
  const keys = await readKeys(folder)
  const refuse = (why: string): never => {
    throw new Error(`Cannot change keys: ${why}`)
  }
  if (keys.site !== before.site) refuse(`${folder} is of another site`)
  const [version, next] = [before.root.version, keys.root.version]
  if (next < version) refuse(`${keyFiles.root} went back from version ${version} to ${next}`)
  // Visitors walk from the root that they know, one by one.
  const known = keys.roots.get(version)
  if (known === undefined) return refuse(`roots/ lacks some of the roots from ${version} to ${next}`)
  if (payloadOf(known) !== payloadOf(before.rootEnvelope))
    refuse(`root ${next} does not follow the root ${version} of here`)
  const gone = missingKeys(keys, before)
  // Half of a copy, or meant: then it takes a restart, for whoever is there counts on them.
  if (gone.length > 0) refuse(`${gone.join(', ')} is gone; restart to go on without`)
  return keys
}

function missingKeys(keys: SiteKeys, before: SiteKeys): string[] {
  const lacks = (name: 'fresh' | 'token' | 'swarmSecret') => before[name] !== undefined && keys[name] === undefined
  return [
    ...(headSignerOf(before) && !headSignerOf(keys) ? [before.head ? keyFiles.headKey : keyFiles.delegateKey] : []),
    ...(lacks('fresh') ? [keyFiles.freshKey] : []),
    ...(lacks('token') ? [keyFiles.tokenKey] : []),
    ...(lacks('swarmSecret') ? [keyFiles.swarmSecret] : []),
  ]
}

function isSame(one: SiteKeys, other: SiteKeys): boolean {
  return identityOf(one) === identityOf(other)
}

function identityOf({ rootEnvelope, head, delegate, fresh, token, swarmSecret }: SiteKeys): string {
  const ids = [head, delegate?.signer, fresh, token].map((signer) => signer?.id ?? '')
  return [rootEnvelope, ...ids, ...(swarmSecret ?? [])].join()
}

/** Signatures may be others, and in another order; what they sign may not. */
function payloadOf(envelope: string): unknown {
  return (JSON.parse(envelope) as { payload?: unknown }).payload
}

/** What tells that a file of the folder is another one than before. */
async function stateOf(folder: string): Promise<string> {
  const roots = await readdir(join(folder, 'roots')).catch(() => [])
  const names = [...Object.values(keyFiles), ...roots.map((name) => join('roots', name))]
  const lines = names.map(async (name) => {
    const found = await stat(join(folder, name)).catch(() => undefined)
    return found ? `${name} ${found.size} ${found.mtimeMs} ${found.ctimeMs} ${found.ino}` : ''
  })
  return (await Promise.all(lines)).join('\n')
}
