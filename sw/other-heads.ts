import { textOf } from '../protocol/bytes.ts'
import type { Catalogue } from '../protocol/catalogue.ts'
import type { ContentId } from '../protocol/ids.ts'
import { headLimitBytes, otherHeadsKept } from '../protocol/limits.ts'
import { manifestFiles } from '../protocol/manifest.ts'
import type { TrustedManifest } from '../protocol/trusted-manifest.ts'
import { envelopeLimit } from './envelope-limit.ts'
import type { Origin } from './origin-fetch.ts'

/** Heads of pages that are a deploy behind or ahead. One that could not be had stays so: its page asks plainly. */
export class OtherHeads {
  readonly #origin: Pick<Origin, 'readFile'>
  /** Longest unused first. */
  readonly #reads = new Map<ContentId, Promise<Catalogue>>()

  constructor(origin: Pick<Origin, 'readFile'>) {
    this.#origin = origin
  }

  /** @param seconds the origin's time, since 1970 */
  open(hash: ContentId, trusted: TrustedManifest, seconds: number): Promise<Catalogue> {
    const catalogue = this.#reads.get(hash) ?? this.#read(hash, trusted, seconds)
    this.#reads.delete(hash)
    this.#reads.set(hash, catalogue)
    const [oldest] = this.#reads.keys()
    if (this.#reads.size > otherHeadsKept && oldest !== undefined) this.#reads.delete(oldest)
    return catalogue
  }

  async #read(hash: ContentId, trusted: TrustedManifest, seconds: number): Promise<Catalogue> {
    const bytes = await this.#origin.readFile(manifestFiles.head(hash), envelopeLimit(headLimitBytes), 'default')
    return trusted.openOther(textOf(bytes), hash, seconds)
  }
}
