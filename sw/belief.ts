import * as v from 'valibot'
import type { SiteId } from '../protocol/ids.ts'
import { siteIdSchema } from '../protocol/ids.ts'
import type { HeadRole } from '../protocol/manifest.ts'
import { TrustedManifest } from '../protocol/trusted-manifest.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'
import type { Roots } from './roots.ts'

export interface BeliefOptions {
  readonly roots: Roots
  readonly state: KeptState
  /** The origin's time as far as it is known, in seconds since 1970. */
  readonly seconds: () => number
  readonly report: (error: unknown) => void
}

/** What the worker keeps between its lives. A script of the page can write it, so all of it is checked again. */
export interface Saved {
  readonly site: SiteId
  readonly issued: number
  /** When the fresh was accepted, in seconds. */
  readonly acceptedAt: number
  readonly fresh: string
  /** The envelopes of the heads that it names, as far as they were accepted. */
  readonly heads: readonly (readonly [role: HeadRole, envelope: string])[]
}

const savedSchema: v.GenericSchema<unknown, Saved> = v.strictObject({
  site: siteIdSchema,
  issued: v.number(),
  acceptedAt: v.number(),
  fresh: v.string(),
  heads: v.array(v.strictTuple([v.number(), v.string()])),
})

const stateKey = 'manifest'

/** The manifest that is believed, kept before it is used so that no restart forgets how new the newest was. */
export class Belief {
  readonly #options: BeliefOptions
  #trusted: TrustedManifest | undefined
  /** What is believed, or is just being kept so that it can be. */
  #newest: TrustedManifest | undefined
  #saved: Saved | undefined

  constructor(options: BeliefOptions) {
    this.#options = options
  }

  get trusted(): TrustedManifest | undefined {
    return this.#trusted
  }

  get saved(): Saved | undefined {
    return this.#saved
  }

  /** Once, before all else. */
  async load(): Promise<void> {
    const { state, report } = this.#options
    this.#saved = await loadAs(state, stateKey, v.optional(savedSchema), undefined, report)
    try {
      this.#trusted = await this.restore()
      this.#newest = this.#trusted
    } catch (error) {
      report(error)
    }
  }

  /** A manifest that believes what was believed last. */
  async restore(): Promise<TrustedManifest> {
    const root = await this.#options.roots.newest()
    const saved = this.#saved?.site === root.site ? this.#saved : undefined
    const trusted = new TrustedManifest(root)
    try {
      // As of then: an expired fresh still tells the floor, the revocations and the heads, and never allows peers. The
      // floor is only what it says: numbers beside it, which any script can write, would shut the origin out for good.
      if (saved) await trusted.acceptFresh(saved.fresh, saved.acceptedAt)
    } catch (error) {
      this.#options.report(error)
      return trusted
    }
    for (const [role, envelope] of saved?.heads ?? []) {
      await trusted.acceptHead(envelope, this.#options.seconds(), role).catch(this.#options.report)
    }
    return trusted
  }

  /**
   * Keeps before it uses (rollback).
   * @returns whether other heads are believed than before
   */
  async believe(candidate: TrustedManifest, saved: Saved): Promise<boolean> {
    const { state, report } = this.#options
    // Two words may be read at once, of which each is newer than what was believed before: who holds back the heads of
    // the older one would have it take the place of the other.
    if (this.#newest && isOlder(candidate, this.#newest)) return false
    this.#newest = candidate
    try {
      await state.save(stateKey, saved)
    } catch (error) {
      report(error) // a device that keeps nothing still gets this life's protection
    }
    if (this.#newest !== candidate) return false
    const isNew = hashesOf(candidate) !== hashesOf(this.#trusted)
    this.#saved = saved
    this.#trusted = candidate
    return isNew
  }
}

function isOlder(one: TrustedManifest, other: TrustedManifest): boolean {
  if (one.root.version !== other.root.version) return one.root.version < other.root.version
  const seqs = new Map(one.fresh?.heads.map(({ role, seq }) => [role, seq]))
  const isBehind = other.fresh?.heads.some(({ role, seq }) => seq > (seqs.get(role) ?? 0)) ?? false
  return isBehind || (one.fresh?.issued ?? 0) < (other.fresh?.issued ?? 0)
}

function hashesOf(trusted: TrustedManifest | undefined): string {
  return [...(trusted?.heads.values() ?? [])].map(({ hash }) => hash).join()
}
