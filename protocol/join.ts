import * as v from 'valibot'
import type { SwarmId } from './ids.ts'
import { swarmIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import {
  iceServerLimit,
  joinRequestBytes,
  joinResponseBytes,
  passLimitBytes,
  pathLimit,
  swarmsPerPeer,
} from './limits.ts'
import { hexSchema, list, text, whole } from './schemas.ts'

/** Where a page learns how to join, below the manifest folder of the tracker's host: `POST join`. */
export const joinFile = 'join'
/** The tracker's socket, below the same folder. */
export const trackerFile = 'tracker'

export interface IceServer {
  readonly urls: readonly string[]
  readonly username?: string | undefined
  readonly credential?: string | undefined
}

/** Asks to join, with one certificate. */
export interface JoinRequest {
  /** SHA-256 of the DTLS certificate of all connections of the page, 64 lower-case hex digits. */
  readonly fingerprint: string
}

/** What the origin lets a visitor join. */
export interface JoinResponse {
  /** Shown to the tracker and to peers. */
  readonly pass: string
  /** The swarm of each section. */
  readonly swarms: readonly { readonly section: string; readonly swarm: SwarmId }[]
  readonly iceServers: readonly IceServer[]
  /** LAN mode: candidates of the visitor's own network are used, too. */
  readonly lan: boolean
  /** Whether connections go through TURN servers alone. Left out: not. */
  readonly relay?: boolean | undefined
  /** Seconds until the page asks again: passes run out, and swarm ids change. */
  readonly renewSeconds: number
}

const requestSchema = v.strictObject({ fingerprint: hexSchema })

const schema = v.strictObject({
  pass: text(passLimitBytes, 1),
  swarms: list(v.strictObject({ section: text(pathLimit), swarm: swarmIdSchema }), swarmsPerPeer, 1),
  iceServers: list(
    v.pipe(
      v.strictObject({
        urls: list(v.pipe(text(512), v.regex(/^(?:stuns?|turns?):/, 'not a STUN or TURN address')), 4, 1),
        username: v.optional(text(512)),
        credential: v.optional(text(512)),
      }),
      // A browser would refuse to make any connection then.
      v.check(
        ({ urls, username, credential }) =>
          (username !== undefined && credential !== undefined) || !urls.some((url) => url.startsWith('turn')),
        'a TURN server without username and credential',
      ),
    ),
    iceServerLimit,
  ),
  lan: v.boolean(),
  relay: v.optional(v.boolean()),
  renewSeconds: whole(1, 86_400),
})

export function parseJoinRequest(body: string): JoinRequest {
  return parseJson(requestSchema, body, joinRequestBytes, 'join request')
}

export function parseJoinResponse(answer: string): JoinResponse {
  return parseJson(schema, answer, joinResponseBytes, 'join response')
}
