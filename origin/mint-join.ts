import type { IceServer, JoinResponse } from '../protocol/join.ts'
import { parseJoinResponse } from '../protocol/join.ts'
import { passRenewSeconds, passSeconds } from '../protocol/limits.ts'
import { planJoin } from './join.ts'
import type { PassOptions } from './mint-pass.ts'
import { mintPass } from './mint-pass.ts'

/** What a visitor is let into. */
export interface JoinOptions extends PassOptions {
  /** The 32 bytes of `swarm.secret` in the site's key folder: the tracker must have the same. */
  readonly swarmSecret: Uint8Array
  /** STUN and TURN servers, 8 at most; `stun:your.site:3478` where `nearhand serve` runs there. Default: none. */
  readonly iceServers?: readonly IceServer[] | undefined
  /** Lets visitors of one network connect by their local addresses, where the tracker does, too. Default: false. */
  readonly lan?: boolean | undefined
  /** Connects this visitor through TURN servers alone. Default: false. */
  readonly relay?: boolean | undefined
}

/** Part of a pass's life after which the page asks for another. */
const renewShare = 0.8

/**
 * The whole answer to a page's `join`, to send as JSON: a pass (see `mintPass`) with the swarms that it opens. For a
 * site whose own backend decides who may join, and which sections.
 *
 * @throws TypeError or RangeError where an option cannot be used
 */
export async function mintJoin(options: JoinOptions): Promise<JoinResponse> {
  const { sections, swarmSecret, now = Date.now() / 1000, seconds = passSeconds } = options
  const { iceServers = [], lan = false, relay = false } = options
  if (swarmSecret.length !== 32) throw new TypeError('Cannot mint join: swarmSecret has not 32 bytes')
  const pass = await mintPass({ ...options, now, seconds })
  const plan = planJoin(new Uint8Array(swarmSecret), sections, now, { iceServers, lan, relay })
  const renewSeconds = Math.min(plan.renewSeconds, passRenewSeconds, Math.max(1, Math.floor(seconds * renewShare)))
  try {
    return parseJoinResponse(JSON.stringify({ ...plan, pass, renewSeconds })) // what every page must be able to read
  } catch (cause) {
    throw new TypeError('Cannot mint join: an option has not its form', { cause })
  }
}
