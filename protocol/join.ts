import * as v from 'valibot'
import type { SwarmId } from './ids.ts'
import { swarmIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import { iceServerLimit, joinResponseBytes, pathLimit, swarmsPerPeer } from './limits.ts'

/** Where a page learns how to join, below the manifest folder of the tracker's host: `GET join`. */
export const joinFile = 'join'
/** The tracker's socket, below the same folder. */
export const trackerFile = 'tracker'

export interface IceServer {
  readonly urls: readonly string[]
  readonly username?: string | undefined
  readonly credential?: string | undefined
}

/** What the origin lets a visitor join. */
export interface JoinResponse {
  /** The swarm of each section. */
  readonly swarms: readonly { readonly section: string; readonly swarm: SwarmId }[]
  readonly iceServers: readonly IceServer[]
  /** LAN mode: candidates of the visitor's own network are used, too. */
  readonly lan: boolean
  /** Seconds until the page asks again, as the swarm ids change. */
  readonly renewSeconds: number
}

const schema = v.strictObject({
  swarms: v.pipe(
    v.array(v.strictObject({ section: v.pipe(v.string(), v.maxLength(pathLimit)), swarm: swarmIdSchema })),
    v.minLength(1),
    v.maxLength(swarmsPerPeer),
  ),
  iceServers: v.pipe(
    v.array(
      v.strictObject({
        urls: v.pipe(
          v.array(v.pipe(v.string(), v.maxLength(512), v.regex(/^(?:stuns?|turns?):/, 'not a STUN or TURN address'))),
          v.minLength(1),
          v.maxLength(4),
        ),
        username: v.optional(v.pipe(v.string(), v.maxLength(512))),
        credential: v.optional(v.pipe(v.string(), v.maxLength(512))),
      }),
    ),
    v.maxLength(iceServerLimit),
  ),
  lan: v.boolean(),
  renewSeconds: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400)),
})

export function parseJoinResponse(text: string): JoinResponse {
  return parseJson(schema, text, joinResponseBytes, 'join response')
}
