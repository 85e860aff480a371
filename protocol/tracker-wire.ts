import * as v from 'valibot'
import type { PeerId, SwarmId } from './ids.ts'
import { peerIdSchema, swarmIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import { candidatesPerSignal, passLimitBytes, seekLimit, swarmsPerPeer, trackerMessageBytes } from './limits.ts'
import type { SessionDescription } from './session-description.ts'
import { candidateSchema, sessionDescriptionSchema } from './session-description.ts'
import { list, message, text, whole } from './schemas.ts'

/*
 * Page <-> tracker, JSON texts over one WebSocket. The tracker names each connection (`welcome`); nobody names
 * themselves. The one who seeks is told peers and makes the offers; a pair is introduced once, so offers never cross.
 */
export const trackerWireVersion = 1

export type Signal =
  | { readonly type: 'offer'; readonly description: SessionDescription }
  | { readonly type: 'answer'; readonly description: SessionDescription }
  | { readonly type: 'candidates'; readonly candidates: readonly string[] }

export type ToTracker =
  /** First message: the swarms of the sections that the page uses. Again with a newer pass, before the old one ends. */
  | { readonly type: 'join'; readonly version: number; readonly swarms: readonly SwarmId[]; readonly pass: string }
  /** Asks for introductions in one swarm. */
  | {
      readonly type: 'seek'
      readonly swarm: SwarmId
      readonly count: number
      /** Peers of the page before, to be introduced first where they are still here. */
      readonly known?: readonly PeerId[] | undefined
    }
  | { readonly type: 'signal'; readonly to: PeerId; readonly signal: Signal }

/** `pass`: it does not hold, or not for what was asked with it. */
export type TrackerFault = 'malformed' | 'foreign' | 'pass' | 'flood' | 'full' | 'stopping'

export type FromTracker =
  | { readonly type: 'welcome'; readonly peer: PeerId }
  /** Peers to send offers to. */
  | { readonly type: 'peers'; readonly swarm: SwarmId; readonly peers: readonly PeerId[] }
  | { readonly type: 'signal'; readonly from: PeerId; readonly signal: Signal }
  /** The envelope of a new `fresh`, as text. */
  | { readonly type: 'fresh'; readonly envelope: string }
  | { readonly type: 'fault'; readonly fault: TrackerFault }

const signalSchema = message([
  v.strictObject({ type: v.literal('offer'), description: sessionDescriptionSchema }),
  v.strictObject({ type: v.literal('answer'), description: sessionDescriptionSchema }),
  v.strictObject({
    type: v.literal('candidates'),
    candidates: list(candidateSchema, candidatesPerSignal, 1),
  }),
])

const toTrackerSchema = message([
  v.strictObject({
    type: v.literal('join'),
    version: v.literal(trackerWireVersion),
    swarms: list(swarmIdSchema, swarmsPerPeer, 1),
    pass: text(passLimitBytes, 1),
  }),
  v.strictObject({
    type: v.literal('seek'),
    swarm: swarmIdSchema,
    count: whole(1, seekLimit),
    known: v.optional(list(peerIdSchema, seekLimit)),
  }),
  v.strictObject({ type: v.literal('signal'), to: peerIdSchema, signal: signalSchema }),
])

const fromTrackerSchema = message([
  v.strictObject({ type: v.literal('welcome'), peer: peerIdSchema }),
  v.strictObject({
    type: v.literal('peers'),
    swarm: swarmIdSchema,
    peers: list(peerIdSchema, seekLimit),
  }),
  v.strictObject({ type: v.literal('signal'), from: peerIdSchema, signal: signalSchema }),
  v.strictObject({ type: v.literal('fresh'), envelope: v.string() }),
  v.strictObject({
    type: v.literal('fault'),
    fault: v.picklist(['malformed', 'foreign', 'pass', 'flood', 'full', 'stopping']),
  }),
])

export function parseToTracker(text: string): ToTracker {
  return parseJson(toTrackerSchema, text, trackerMessageBytes, 'message to the tracker')
}

/** A `fresh` may be larger than what clients send. */
export function parseFromTracker(text: string): FromTracker {
  return parseJson(fromTrackerSchema, text, trackerMessageBytes * 8, 'message of the tracker')
}
