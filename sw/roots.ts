import { textOf } from '../protocol/bytes.ts'
import { rootChainLimit, rootLimitBytes } from '../protocol/limits.ts'
import type { Root } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import { list, text } from '../protocol/schemas.ts'
import { openNextRoot, openPinnedRoot } from '../protocol/trusted-manifest.ts'
import { envelopeLimit } from './envelope-limit.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'
import type { Origin } from './origin-fetch.ts'

export interface RootsOptions {
  /** The text of the signed root that the worker file pins. */
  readonly pinned: string
  readonly origin: Pick<Origin, 'readFile'>
  readonly state: KeptState
  readonly report: (error: unknown) => void
}

const rootsKey = 'roots'
const rootsSchema = list(text(envelopeLimit(rootLimitBytes)), rootChainLimit)

/** The way from the root that the worker file pins to the newest one that is believed. */
export class Roots {
  readonly #options: RootsOptions
  /** Envelopes of those that followed the pinned one. A script can write them: each life walks the way anew. */
  #followed: Promise<readonly string[]> | undefined
  #newest: Promise<Root> | undefined

  constructor(options: RootsOptions) {
    this.#options = options
  }

  /** The newest that is believed. Those between may have expired since. */
  newest(): Promise<Root> {
    this.#newest ??= this.#walk()
    return this.#newest
  }

  /** Asks the origin for newer ones. Whether there was one to follow. */
  async follow(): Promise<boolean> {
    const { origin, state, report } = this.#options
    await this.newest()
    const known = await this.#load()
    let followed = known
    try {
      while (followed.length < rootChainLimit) {
        const root = await this.newest()
        const name = manifestFiles.rootOf(root.version + 1)
        const envelope = textOf(await origin.readFile(name, envelopeLimit(rootLimitBytes), 'no-store'))
        const next = await openNextRoot(root, envelope)
        followed = [...followed, envelope]
        this.#newest = Promise.resolve(next)
      }
    } catch (error) {
      report(error) // mostly that there is no next one
    }
    if (followed === known) return false
    this.#followed = Promise.resolve(followed)
    await state.save(rootsKey, followed).catch(report)
    return true
  }

  async #walk(): Promise<Root> {
    let root = await openPinnedRoot(this.#options.pinned)
    const followed: string[] = []
    for (const envelope of await this.#load()) {
      try {
        root = await openNextRoot(root, envelope)
        followed.push(envelope)
      } catch (error) {
        this.#options.report(error) // older than what the worker file pins by now, or written by a script
      }
    }
    this.#followed = Promise.resolve(followed)
    return root
  }

  #load(): Promise<readonly string[]> {
    const { state, report } = this.#options
    this.#followed ??= loadAs(state, rootsKey, rootsSchema, [], report)
    return this.#followed
  }
}
