import { utf8 } from '../protocol/bytes.ts'
import type { Fresh } from '../protocol/manifest.ts'
import { headTuple, mediaTypes, parseFresh } from '../protocol/manifest.ts'
import { signEnvelope } from '../protocol/signature.ts'
import type { SignedHead } from './head.ts'
import { namedHead } from './head.ts'
import type { SiteKeys } from './keys.ts'

/** What an operator can switch within one life of a fresh. */
export type Switches = Pick<Fresh, 'grace' | 'peers' | 'off' | 'share' | 'minimumSwarm' | 'unregister' | 'revoked'>

export const defaultSwitches: Switches = {
  grace: 1800,
  peers: true,
  off: [],
  share: 1,
  minimumSwarm: 2,
  unregister: false,
  revoked: [],
}

/** What is not given is as in `defaultSwitches`. */
export interface FreshOptions extends Partial<Switches> {
  /** Seconds since 1970. */
  readonly now: number
  /** How long it holds. */
  readonly seconds: number
}

/** Signs that these heads hold now, in the order of their roles; gives the text of the envelope. Throws where the fresh key is not on this machine. */
export async function signFresh(
  keys: SiteKeys,
  heads: readonly SignedHead[],
  { now, seconds, ...switches }: FreshOptions,
): Promise<string> {
  if (keys.fresh === undefined) throw new Error('Cannot sign fresh: its key is not on this machine')
  if (seconds > keys.root.freshSeconds) {
    throw new RangeError(`Cannot sign fresh for ${seconds} s: the root allows ${keys.root.freshSeconds} s`)
  }
  const fresh = {
    site: keys.site,
    root: keys.root.version,
    heads: heads.map((head) => headTuple(namedHead(head))),
    issued: now,
    expires: now + seconds,
    ...defaultSwitches,
    ...switches,
  }
  const body = utf8(JSON.stringify(fresh))
  parseFresh(body) // what this writes, every client must be able to read
  return signEnvelope(mediaTypes.fresh, body, [keys.fresh])
}
