import * as v from 'valibot'
import type { ContentId, PeerId, SiteId } from './ids.ts'
import { contentIdSchema, peerIdSchema, siteIdSchema } from './ids.ts'
import { parseValue } from './json.ts'
import {
  chunkLimit,
  delegateLimit,
  freshLimitBytes,
  keyLimit,
  maxChunkBytes,
  pageLimit,
  partLimitBytes,
  passLimitBytes,
  pathLimit,
  prefetchLimit,
  prefixLimit,
  wordLimitBytes,
} from './limits.ts'
import { hexSchema, list, message, text, whole } from './schemas.ts'

/*
 * What the threads of one device say to each other. Service worker and exchange (in the dedicated worker, or in the
 * page where channels cannot be transferred) talk over a MessagePort that the page brokers:
 *
 *   page -> service worker   link (with the port), unlink, stats, disable, enable   by postMessage to the controller
 *   service worker -> page   relink                                           by client.postMessage
 *   service worker -> exchange   find, read, hurry, cancel, blame             over the port
 *   exchange -> service worker   found, chunk, miss, heard, pass              over the port
 *   service worker -> every page  traffic                                     by BroadcastChannel
 *
 * Each side may be gone at any moment and start anew, and the two may come from different deploys. Nothing here
 * therefore assumes an answer: requests carry a number, a new port ends all older requests, silence is a miss.
 */
export const bridgeVersion = 1
/** The BroadcastChannel that carries TrafficMessage. @param base the site's folder on its host */
export function trafficChannelName(base: string): string {
  return `nearhand-traffic ${base}`
}

/** Where the bytes of a chunk came from. */
export type SourceName = 'store' | 'peer' | 'origin'

/** In place of a chunk's number: the asset's chunk list. */
export const listIndex = -1

/** In place of a chunk's number: a page of the asset's chunk list. */
export function pageIndex(page: number): number {
  return listIndex - 1 - page
}

/** In place of a chunk's number: a bin or index page, of which the id alone is known, in place of an asset's. */
export const partIndex: number = pageIndex(pageLimit)

export type PageToWorker =
  /** One MessagePort comes along in the transfer list. `lock`: a Web Lock that is free when the other end is gone. */
  | { readonly type: 'nearhand:link'; readonly version: number; readonly lock?: string | undefined }
  | { readonly type: 'nearhand:unlink' }
  /** Answered with WorkerStats on the port in the transfer list. */
  | { readonly type: 'nearhand:stats' }
  /** Answers everything plainly from now on, drops the store, then answers `true` on the port in the transfer list. */
  | { readonly type: 'nearhand:disable' }
  /** Assets, by their URLs, that the next pages need. Only peers are asked for them, unless the site allows more. */
  | { readonly type: 'nearhand:prefetch'; readonly urls: readonly string[]; readonly mayAskOrigin: boolean }
  /** Answered with `true` on the port in the transfer list, once what is believed of the site is as new as it gets for now. */
  | { readonly type: 'nearhand:ready' }
  /** What the tracker pushed: the envelope of a new fresh. */
  | { readonly type: 'nearhand:fresh'; readonly envelope: string }
  /** Whether the tracker can be reached from this page. */
  | { readonly type: 'nearhand:tracker'; readonly isReachable: boolean }
  /** Undoes `disable`, then answers `true` on the port in the transfer list. */
  | { readonly type: 'nearhand:enable' }

export type WorkerToPage =
  | { readonly type: 'nearhand:relink' }
  /** Whether the site and its operator let this device have to do with peers. Told when it changes, and at each link. */
  | { readonly type: 'nearhand:rule'; readonly peers: boolean }

export type WorkerToExchange =
  /** Who could give this asset? */
  | { readonly type: 'find'; readonly request: number; readonly asset: ContentId; readonly section: string }
  | {
      readonly type: 'read'
      readonly request: number
      readonly asset: ContentId
      readonly section: string
      /** The chunk, `listIndex`, the `pageIndex` of a page, or `partIndex`. */
      readonly index: number
      /** Exact bytes that are expected; of a part the most. */
      readonly length: number
      /** How long the peers have, all tries together. */
      readonly deadlineMs: number
      /** Only peers that are expected to give it within so long are worth asking. */
      readonly promptMs: number
      /** Whether the page waits for it; what is read ahead stands back behind what it waits for. */
      readonly isUrgent: boolean
    }
  /** By now the page waits for it: so long the peers still have, and no longer than they had. */
  | { readonly type: 'hurry'; readonly request: number; readonly deadlineMs: number }
  | { readonly type: 'cancel'; readonly request: number }
  /**
   * How long from now peers may be given something, in milliseconds, and below which paths they may not. Where neither
   * origin nor tracker can be reached (`isCutOff`) that is until the end of the grace, and passes that end hold as long.
   */
  | {
      readonly type: 'rule'
      readonly servesMs: number
      readonly off: readonly string[]
      readonly isCutOff: boolean
    }
  /** Whose passes are believed, by the root. `now`: the origin's time as far as it is known, seconds since 1970. */
  | { readonly type: 'passes'; readonly site: SiteId; readonly keys: readonly string[]; readonly now: number }
  /** The fresh that is believed, for peers to compare with theirs. */
  | { readonly type: 'word'; readonly envelope: string }
  /** Whether the page waits for something of its own: seeding stands back then. */
  | { readonly type: 'loading'; readonly isLoading: boolean }
  /** What this peer sent for this request was not what the manifest says. */
  | { readonly type: 'blame'; readonly request: number; readonly peer: PeerId }

export type MissReason = 'nobody' | 'late' | 'refused' | 'stopped'

export type ExchangeToWorker =
  /** How many peers say that they hold all or part of it. */
  | { readonly type: 'found'; readonly request: number; readonly holders: number }
  /** The pass that this device has now, when it is linked and with each new one. */
  | { readonly type: 'pass'; readonly pass: string }
  /** Not checked yet: that is the service worker's work. `late` bytes are those of refused or doubled answers. */
  | { readonly type: 'chunk'; readonly request: number; readonly peer: PeerId; readonly bytes: ArrayBuffer }
  | { readonly type: 'miss'; readonly request: number; readonly reason: MissReason }
  /** The fresh that a peer believes, or says to. */
  | { readonly type: 'heard'; readonly envelope: string }

export interface ChunkTraffic {
  readonly index: number
  readonly source: SourceName
  readonly bytes: number
  readonly peer?: string | undefined
}

/** What happened to one asset since the last message about it. */
export interface TrafficMessage {
  readonly path: string
  readonly size: number
  readonly chunkSize: number
  readonly chunks: readonly ChunkTraffic[]
}

/** Of this device and site, since the worker was installed. Bytes are those of bodies that a page was given. */
export interface TrafficTotals {
  readonly bytes: { readonly store: number; readonly peers: number; readonly origin: number }
  /** Verified or refused bytes that came and were not needed. */
  readonly duplicateBytes: number
  /** Bytes that were got for a next page. A page that then uses them has them from the store. */
  readonly prefetchedBytes: { readonly peers: number; readonly origin: number }
  /** Requests that the worker answered. */
  readonly requests: number
  /** Of these, the ones that ended in a plain fetch. */
  readonly fallbacks: number
  /** Chunks that did not match the manifest. */
  readonly badChunks: number
}

/** What the worker tells of itself. */
export interface WorkerStats extends TrafficTotals {
  /** Answers that failed by our own fault, since the worker started. */
  readonly failures: number
  /** Whether it leaves all requests alone for a while, because too many did. */
  readonly isSpent: boolean
}

const count = whole()
const section = text(pathLimit)
// From clocks that count parts of a millisecond.
const deadlineMs = v.pipe(v.number(), v.minValue(0), v.maxValue(60_000))

const pageToWorkerSchema = message([
  v.strictObject({ type: v.literal('nearhand:link'), version: count, lock: v.optional(text(pathLimit * 2)) }),
  v.strictObject({ type: v.literal('nearhand:unlink') }),
  v.strictObject({ type: v.literal('nearhand:stats') }),
  v.strictObject({ type: v.literal('nearhand:disable') }),
  v.strictObject({ type: v.literal('nearhand:fresh'), envelope: text(freshLimitBytes * 2) }),
  v.strictObject({ type: v.literal('nearhand:tracker'), isReachable: v.boolean() }),
  v.strictObject({ type: v.literal('nearhand:enable') }),
  v.strictObject({ type: v.literal('nearhand:ready') }),
  v.strictObject({
    type: v.literal('nearhand:prefetch'),
    urls: list(text(pathLimit * 2), prefetchLimit),
    mayAskOrigin: v.boolean(),
  }),
])

const workerToPageSchema = message([
  v.strictObject({ type: v.literal('nearhand:relink') }),
  v.strictObject({ type: v.literal('nearhand:rule'), peers: v.boolean() }),
])

const workerToExchangeSchema = message([
  v.strictObject({ type: v.literal('find'), request: count, asset: contentIdSchema, section }),
  v.strictObject({
    type: v.literal('read'),
    request: count,
    asset: contentIdSchema,
    section,
    index: whole(partIndex, chunkLimit - 1),
    length: whole(1, Math.max(maxChunkBytes, partLimitBytes)),
    deadlineMs,
    promptMs: deadlineMs,
    isUrgent: v.boolean(),
  }),
  v.strictObject({ type: v.literal('hurry'), request: count, deadlineMs }),
  v.strictObject({ type: v.literal('cancel'), request: count }),
  v.strictObject({
    type: v.literal('rule'),
    servesMs: count,
    off: list(text(pathLimit), prefixLimit * (delegateLimit + 1)),
    isCutOff: v.boolean(),
  }),
  v.strictObject({
    type: v.literal('passes'),
    site: siteIdSchema,
    keys: list(hexSchema, keyLimit),
    now: count,
  }),
  v.strictObject({ type: v.literal('word'), envelope: text(wordLimitBytes) }),
  v.strictObject({ type: v.literal('loading'), isLoading: v.boolean() }),
  v.strictObject({ type: v.literal('blame'), request: count, peer: peerIdSchema }),
])

const exchangeToWorkerSchema = message([
  v.strictObject({ type: v.literal('found'), request: count, holders: count }),
  v.strictObject({
    type: v.literal('chunk'),
    request: count,
    peer: peerIdSchema,
    bytes: v.pipe(
      v.instance(ArrayBuffer),
      v.check((buffer) => buffer.byteLength <= maxChunkBytes, 'over a chunk'),
    ),
  }),
  v.strictObject({
    type: v.literal('miss'),
    request: count,
    reason: v.picklist(['nobody', 'late', 'refused', 'stopped']),
  }),
  v.strictObject({ type: v.literal('heard'), envelope: text(wordLimitBytes) }),
  v.strictObject({ type: v.literal('pass'), pass: text(passLimitBytes) }),
])

const trafficSchema = v.strictObject({
  path: v.string(),
  size: count,
  chunkSize: count,
  chunks: v.array(
    v.strictObject({
      index: count,
      source: v.picklist(['store', 'peer', 'origin']),
      bytes: count,
      peer: v.optional(v.string()),
    }),
  ),
})

const totalsEntries = {
  bytes: v.strictObject({ store: count, peers: count, origin: count }),
  duplicateBytes: count,
  prefetchedBytes: v.optional(v.strictObject({ peers: count, origin: count }), { peers: 0, origin: 0 }),
  requests: count,
  fallbacks: count,
  badChunks: count,
}
const totalsSchema = v.strictObject(totalsEntries)
const statsSchema = v.strictObject({ ...totalsEntries, failures: count, isSpent: v.boolean() })

/** Undefined where a message is not for us: pages and workers of a site have messages of their own. */
export function parsePageToWorker(value: unknown): PageToWorker | undefined {
  return isOurs(value) ? parseValue(pageToWorkerSchema, value, 'message to the service worker') : undefined
}

/** Undefined where a message is not for us. */
export function parseWorkerToPage(value: unknown): WorkerToPage | undefined {
  return isOurs(value) ? parseValue(workerToPageSchema, value, 'message of the service worker') : undefined
}

export function parseWorkerToExchange(value: unknown): WorkerToExchange {
  return parseValue(workerToExchangeSchema, value, 'message to the exchange')
}

export function parseExchangeToWorker(value: unknown): ExchangeToWorker {
  return parseValue(exchangeToWorkerSchema, value, 'message of the exchange')
}

export function parseTraffic(value: unknown): TrafficMessage {
  return parseValue(trafficSchema, value, 'traffic')
}

export function parseTotals(value: unknown): TrafficTotals {
  return parseValue(totalsSchema, value, 'traffic totals')
}

export function parseStats(value: unknown): WorkerStats {
  return parseValue(statsSchema, value, 'stats of the service worker')
}

function isOurs(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    typeof value.type === 'string' &&
    value.type.startsWith('nearhand:')
  )
}
