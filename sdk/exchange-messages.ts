import * as v from 'valibot'
import type { PeerId, SwarmId } from '../protocol/ids.ts'
import { peerIdSchema, swarmIdSchema } from '../protocol/ids.ts'
import { parseValue } from '../protocol/json.ts'
import { connectionsPerPage, passLimitBytes, pathLimit, swarmsPerPeer } from '../protocol/limits.ts'
import { hexSchema, message, text } from '../protocol/schemas.ts'

/*
 * What the page and its exchange say to each other, by postMessage to the dedicated worker or by plain calls where the
 * exchange runs in the page. Both files come from one build, but a cache may hold them from two.
 */

export interface SectionSwarm {
  readonly section: string
  readonly swarm: SwarmId
}

export type PageToExchange =
  /** The swarms that channels added from now on may share, and the pass for them, which all peers are shown. */
  | { readonly type: 'swarms'; readonly swarms: readonly SectionSwarm[]; readonly pass: string }
  /** The channel comes along in the transfer list, in the task that created it. */
  | {
      readonly type: 'channel'
      /** Its number among all of the page: one peer may have several, one after the other. */
      readonly connection: number
      readonly peer: PeerId
      readonly self: PeerId
      readonly channel: RTCDataChannel
    }
  /** The certificate of this peer, as the page puts it into the SDP. Sent before the channel can open. */
  | { readonly type: 'certificate'; readonly peer: PeerId; readonly fingerprint: string }
  /** The page closed this peer's connection, which the exchange's end of the channel does not notice. */
  | { readonly type: 'drop'; readonly peer: PeerId }
  /** The service worker's port, in the transfer list. A port before it is done with. */
  | { readonly type: 'link'; readonly port: MessagePort }
  /** `bytesLeft`: what this exchange may send from now on, on this day (in days since 1970). */
  | { readonly type: 'upload'; readonly bytesPerSecond: number; readonly bytesLeft: number; readonly day: number }
  | { readonly type: 'stop' }

/** One connected peer. */
export interface PeerView {
  /** Made up by the tracker, new at each connection. */
  readonly id: string
  /** Milliseconds from asking to having, smoothed. */
  readonly roundTripMs: number | undefined
  /** What it lately gave us. */
  readonly bytesPerSecond: number
  readonly receivedBytes: number
  readonly sentBytes: number
}

export type ExchangeToPage =
  /** Sent once, when the exchange is there. */
  | { readonly type: 'started' }
  /** The peers that finished the handshake and told what they hold. */
  | { readonly type: 'peers'; readonly peers: readonly PeerView[]; readonly uploadedBytes: number }
  /** The channel of this connection is done with; `isBanned` where the peer broke the protocol or sent wrong bytes. */
  | {
      readonly type: 'gone'
      readonly peer: PeerId
      /** Undefined where the peer had left before it was banned. */
      readonly connection?: number | undefined
      readonly isBanned: boolean
    }

/** Where the worker file leaves the exchange when a page evaluates it. */
export const exchangeGlobal: symbol = Symbol.for('nearhand.exchange')

/** The dedicated worker's name, which tells it the site's folder before any message. */
export function exchangeName(base: string): string {
  return `nearhand ${base}`
}

export function exchangeBase(name: string): string {
  return name.slice(exchangeName('').length)
}

const amount = v.pipe(v.number(), v.minValue(0))

const pageToExchangeSchema = message([
  v.strictObject({
    type: v.literal('swarms'),
    swarms: v.pipe(
      v.array(v.strictObject({ section: v.pipe(v.string(), v.maxLength(pathLimit)), swarm: swarmIdSchema })),
      v.maxLength(swarmsPerPeer),
    ),
    pass: text(passLimitBytes),
  }),
  v.strictObject({
    type: v.literal('channel'),
    connection: amount,
    peer: peerIdSchema,
    self: peerIdSchema,
    channel: v.custom<RTCDataChannel>((value) => typeof value === 'object' && value !== null && 'send' in value),
  }),
  v.strictObject({ type: v.literal('certificate'), peer: peerIdSchema, fingerprint: hexSchema }),
  v.strictObject({ type: v.literal('drop'), peer: peerIdSchema }),
  v.strictObject({ type: v.literal('link'), port: v.instance(MessagePort) }),
  v.strictObject({ type: v.literal('upload'), bytesPerSecond: amount, bytesLeft: amount, day: amount }),
  v.strictObject({ type: v.literal('stop') }),
])

export const peerViewsSchema: v.GenericSchema<unknown, readonly PeerView[]> = v.pipe(
  v.array(
    v.strictObject({
      id: v.string(),
      roundTripMs: v.union([v.number(), v.undefined()]),
      bytesPerSecond: amount,
      receivedBytes: amount,
      sentBytes: amount,
    }),
  ),
  v.maxLength(connectionsPerPage * 2),
)

const exchangeToPageSchema = message([
  v.strictObject({ type: v.literal('started') }),
  v.strictObject({ type: v.literal('peers'), peers: peerViewsSchema, uploadedBytes: amount }),
  v.strictObject({
    type: v.literal('gone'),
    peer: peerIdSchema,
    connection: v.optional(amount),
    isBanned: v.boolean(),
  }),
])

export function parsePageToExchange(value: unknown): PageToExchange {
  return parseValue(pageToExchangeSchema, value, 'message of the page')
}

export function parseExchangeToPage(value: unknown): ExchangeToPage {
  return parseValue(exchangeToPageSchema, value, 'message of the exchange')
}
