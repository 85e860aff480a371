import type { ContentId } from '../protocol/ids.ts'
import type { Head } from '../protocol/manifest.ts'
import type { SiteKeys } from './keys.ts'

export interface FreshOptions {
  /** Seconds since 1970. */
  readonly now: number
  /** How long it holds. */
  readonly seconds: number
  /** False turns peers off for the whole site. */
  readonly peers: boolean
  readonly revoked: readonly ContentId[]
}

/** Signs that this head holds now. Throws where the fresh key is not on this machine. */
export async function signFresh(
  _keys: SiteKeys,
  _head: Head,
  _headHash: ContentId,
  _options: FreshOptions,
): Promise<string> {
  throw new Error('Cannot sign fresh: not built yet')
}
