import { textOf } from '../protocol/bytes.ts'
import type { Catalogue } from '../protocol/catalogue.ts'
import { rolesInCharge } from '../protocol/head-roles.ts'
import type { ContentId } from '../protocol/ids.ts'
import { headLimitBytes, otherHeadsKept } from '../protocol/limits.ts'
import type { HeadRole, Root } from '../protocol/manifest.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import type { TrustedManifest } from '../protocol/trusted-manifest.ts'
import { envelopeLimit } from './envelope-limit.ts'
import { rowPath } from '../protocol/paths.ts'
import type { Origin } from './origin-fetch.ts'

interface OtherHead {
  readonly role: HeadRole
  readonly catalogue: Catalogue
}

/** Heads of pages that are a deploy behind or ahead. One that could not be had stays so: its page asks plainly. */
export class OtherHeads {
  readonly #origin: Pick<Origin, 'readFile'>
  /** Longest unused first. */
  readonly #reads = new Map<ContentId, Promise<OtherHead>>()
  #root: Root | undefined

  constructor(origin: Pick<Origin, 'readFile'>) {
    this.#origin = origin
  }

  /**
   * Of the heads that a page names, the one that speaks for a path; undefined where none does.
   * @param seconds the origin's time, since 1970
   */
  async at(
    path: string,
    hashes: readonly ContentId[],
    trusted: TrustedManifest,
    seconds: number,
  ): Promise<Catalogue | undefined> {
    // Stale key: what a root took back counts no more, also for a page that was made with it.
    if (trusted.root !== this.#root) this.#reads.clear()
    this.#root = trusted.root
    const believed = new Map([...trusted.heads].map(([role, { hash, catalogue }]) => [hash, { role, catalogue }]))
    const opening = hashes.map(async (hash) => believed.get(hash) ?? this.#open(hash, trusted, seconds))
    const heads = await Promise.all(opening)
    const roles = heads.map((head) => head.role)
    const role = rolesInCharge(trusted.root, roles)(rowPath(path))
    const catalogue = heads.find((head) => head.role === role)?.catalogue
    return catalogue && catalogue.head.expires > seconds ? catalogue : undefined
  }

  #open(hash: ContentId, trusted: TrustedManifest, seconds: number): Promise<OtherHead> {
    const head = this.#reads.get(hash) ?? this.#read(hash, trusted, seconds)
    this.#reads.delete(hash)
    this.#reads.set(hash, head)
    const [oldest] = this.#reads.keys()
    if (this.#reads.size > otherHeadsKept && oldest !== undefined) this.#reads.delete(oldest)
    return head
  }

  async #read(hash: ContentId, trusted: TrustedManifest, seconds: number): Promise<OtherHead> {
    const bytes = await this.#origin.readFile(manifestFiles.head(hash), envelopeLimit(headLimitBytes), 'default')
    return trusted.openOther(textOf(bytes), hash, seconds)
  }
}
