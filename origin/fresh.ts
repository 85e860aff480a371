import { utf8 } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import type { Fresh, Head } from '../protocol/manifest.ts'
import { mediaTypes, parseFresh } from '../protocol/manifest.ts'
import { signEnvelope } from '../protocol/signature.ts'
import type { SiteKeys } from './keys.ts'

export interface FreshOptions {
  /** Seconds since 1970. */
  readonly now: number
  /** How long it holds. */
  readonly seconds: number
  /** False turns peers off for the whole site. */
  readonly peers: boolean
  /** Content that nobody is to serve any more. */
  readonly revoked: readonly ContentId[]
}

/** Signs that this head holds now; gives the text of the envelope. Throws where the fresh key is not on this machine. */
export async function signFresh(
  keys: SiteKeys,
  head: Head,
  headHash: ContentId,
  options: FreshOptions,
): Promise<string> {
  if (keys.fresh === undefined) throw new Error('Cannot sign fresh: its key is not on this machine')
  const fresh: Fresh = {
    site: keys.site,
    seq: head.seq,
    head: headHash,
    issued: options.now,
    expires: options.now + options.seconds,
    peers: options.peers,
    revoked: options.revoked,
  }
  const body = utf8(JSON.stringify(fresh))
  parseFresh(body) // what this writes, every client must be able to read
  return signEnvelope(mediaTypes.fresh, body, [keys.fresh])
}
