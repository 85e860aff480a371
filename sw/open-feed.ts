import type { Asset } from '../protocol/chunks.ts'
import {
  earlyBodyLimit,
  listRescueMs,
  listRescueTries,
  pageAheadChunks,
  pipelineChunks,
  rescuePauseMs,
  rescueTries,
} from '../protocol/limits.ts'
import type { ChunkLists, ReadList } from './chunk-lists.ts'
import { AssetDigests } from './chunk-lists.ts'
import { pause } from './deadline.ts'
import type { LocalSource } from './local-source.ts'
import { openLocalSource } from './local-source.ts'
import type { Hedges } from './hedge.ts'
import type { OriginPace } from './origin-pace.ts'
import type { OriginSourceOptions } from './origin-source.ts'
import { OriginSource } from './origin-source.ts'
import type { PeerSourceOptions } from './peer-source.ts'
import { PeerSource } from './peer-source.ts'
import { RaceSource } from './race-source.ts'
import type { ChunkFeed, FeedRange } from './respond.ts'
import type { ChunkSource, OnBad } from './sources.ts'
import { readVerified } from './sources.ts'
import type { Store } from './store.ts'
import { soonerOf } from './sooner.ts'
import type { Urgency } from './urgency.ts'
import { critical } from './urgency.ts'
import { wireShareOf } from './wire-share.ts'

/** What a response needs besides its asset. */
export interface FeedParts extends Omit<PeerSourceOptions, 'asset'> {
  readonly store: Store
  readonly lists: ChunkLists
  readonly pace: OriginPace
  readonly hedges: Hedges
  readonly early: EarlyBodies
  readonly onBad: OnBad
}

/** Counts the responses whose body is asked for before their list is known. */
export class EarlyBodies {
  #open = 0

  mayBegin(list: Promise<unknown>): boolean {
    if (this.#open >= earlyBodyLimit) return false
    this.#open += 1
    const known = (): void => void (this.#open -= 1)
    list.then(known, known)
    return true
  }
}

/** The asset at its origin, for one request. */
export interface AssetOrigin {
  /** At its own URL. */
  fetch: OriginSourceOptions['fetch']
  /** The same content by its id, which a deploy does not change. */
  fetchContent: OriginSourceOptions['fetch']
  readonly list: ChunkSource
  /** Whether its host gave no answer at all when it was asked last. */
  isSilent(): boolean
  /** The page was made with this content: another version would be wrong for it from the first byte on. */
  readonly isPinned: boolean
  readonly onChanged: OriginSourceOptions['onChanged']
}

/**
 * Opens what is needed to read a range of an asset: own store, then peers, then origin. Without an origin, only what
 * the store holds is given: that is for the times when the manifest is too old to ask anybody else.
 */
export async function openFeed(
  asset: Asset,
  range: FeedRange,
  parts: FeedParts,
  origin: AssetOrigin | undefined,
  signal: AbortSignal,
  urgency: (aheadBytes: number) => Urgency = () => critical,
): Promise<ChunkFeed> {
  const controller = new AbortController()
  const stop = (): void => controller.abort(signal.reason)
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop)

  try {
    const local = await openLocalSource(asset, parts.store)
    const chunks = { first: Math.floor(range.start / asset.chunkSize), end: Math.ceil(range.end / asset.chunkSize) }
    const peers = new PeerSource({ ...parts, asset })
    const isHeld = skipWhile(chunks.first, chunks.end, (index) => local.holds(index)) === chunks.end
    if (origin && !isHeld) await peers.find(controller.signal)
    const begin = new Begin()
    const opened = { asset, range, urgency, local, peers, parts }
    const origins = origin && openOrigins(opened, origin, controller.signal)
    const sources = origins ? chooseSources(chunks.first, opened, origins, begin, controller.signal) : [local]
    const listSources = origin
      ? [local, soonerOf(peers, origin.list), origin.list, ...listRescue(peers, origin, parts.now)]
      : [local]
    const readList: ReadList = async (chunk) =>
      (await readVerified(chunk, listSources, parts.onBad, controller.signal)).bytes
    const readPage: ReadList = (chunk) => readPatiently(() => readList(chunk), begin, controller.signal)
    const digests = new AssetDigests(asset, parts.lists, readList, readPage)
    // Chunks are asked for while their list is on its way, which saves a round trip. Of the origin's few connections
    // bodies would soon have all, and the lists would wait behind them: only some go ahead, and those
    // that are read to their end before a list is needed.
    const isShort = asset.size <= pipelineChunks * asset.chunkSize
    if (!peers.isPromising && !isShort && !parts.early.mayBegin(digests.list)) await digests.list
    return {
      chunkSize: asset.chunkSize,
      begin: () => begin.settle(true),
      need: (index) => origins?.race.need(index),
      async read(index) {
        const ahead = index + pageAheadChunks
        if (ahead < chunks.end) digests.readAhead(ahead)
        const chunk = digests.chunk(index)
        const checked = await readVerified(chunk, sources, parts.onBad, controller.signal)
        origins?.own.passed(index)
        origins?.byId.passed(index)
        if (checked.source !== 'store') parts.store.keep(asset, index, checked.bytes, await digests.proofOf(index))
        return checked
      },
      end() {
        begin.settle(false)
        signal.removeEventListener('abort', stop)
        controller.abort()
      },
    }
  } catch (error) {
    controller.abort()
    throw error
  }
}

/** Whether the response has begun: a promise for those who must know before they go on. */
class Begin {
  readonly known: Promise<boolean>
  readonly settle: (hasBegun: boolean) => void
  hasBegun = false

  constructor() {
    let resolve: (hasBegun: boolean) => void = () => {}
    this.known = new Promise((settle) => (resolve = settle))
    this.settle = (hasBegun) => {
      this.hasBegun ||= hasBegun
      resolve(hasBegun)
    }
  }
}

interface Origins {
  /** At the asset's own URL. */
  readonly own: OriginSource
  /** The same content by its id. */
  readonly byId: OriginSource
  /** At its own URL, or of peers. */
  readonly race: RaceSource
  readonly isPinned: boolean
}

interface Opened {
  readonly asset: Asset
  readonly range: FeedRange
  readonly urgency: (aheadBytes: number) => Urgency
  readonly local: LocalSource
  readonly peers: PeerSource
  readonly parts: FeedParts
}

function openOrigins(
  { asset, range, urgency, local, peers, parts }: Opened,
  { fetch, fetchContent, isPinned, onChanged }: AssetOrigin,
  signal: AbortSignal,
): Origins {
  const end = Math.ceil(range.end / asset.chunkSize)
  const runEnd = (first: number): number | undefined =>
    peers.isPromising && wireShareOf(asset) === 1
      ? undefined
      : skipWhile(first + 1, end, (index) => !local.holds(index))
  const { pace } = parts
  const own = new OriginSource({ asset, pace, runEnd, fetch, onChanged }, signal)
  return {
    own,
    byId: new OriginSource({ asset, pace, runEnd, fetch: fetchContent, onChanged: () => {} }, signal),
    race: new RaceSource({ ...parts, asset, peers, own, urgencyOf: urgency, start: range.start }, signal),
    isPinned,
  }
}

function chooseSources(
  first: number,
  { local, peers }: Opened,
  { own, byId, race, isPinned }: Origins,
  begin: Begin,
  signal: AbortSignal,
): readonly ChunkSource[] {
  // Before the first byte a changed origin is right: the page gets its answer as it is. After it the response must go
  // on with the content that it began with, and a page that says what it was made with gets that.
  const resumed: ChunkSource = {
    name: 'origin',
    async read(chunk) {
      const isWanted = (isPinned && own.state === 'changed') || (chunk.index !== first && (await begin.known))
      return isWanted ? byId.read(chunk, signal) : undefined
    },
  }
  const rescue: ChunkSource = {
    name: 'peer',
    async read(chunk) {
      // While the origin answers at all, its own answer is better for the page than a long wait for peers.
      if (begin.hasBegun || own.state === 'unreachable') return peers.readPatiently(chunk, signal)
      return own.state === 'troubled' ? peers.readAgain(chunk, signal) : undefined
    },
  }
  const honest: ChunkSource = { name: 'origin', read: (chunk) => race.readAfterLie(chunk, signal) }
  return [local, race, honest, resumed, rescue]
}

/**
 * Where the origin is gone, the peers are asked for the list again: without it the response breaks, or never begins. Of a
 * swarm that is mostly evil each try bans a liar.
 */
function listRescue(peers: PeerSource, origin: AssetOrigin, now: () => number): readonly ChunkSource[] {
  let end: number | undefined
  const again: ChunkSource = {
    name: 'peer',
    async read(chunk, signal) {
      end ??= now() + listRescueMs
      return origin.isSilent() && now() < end ? peers.readAgain(chunk, signal) : undefined
    },
  }
  return Array.from({ length: listRescueTries }, () => again)
}

/** Before the first byte a failure is told at once, for then the page can still be answered plainly. */
async function readPatiently<Result>(read: () => Promise<Result>, begin: Begin, signal: AbortSignal): Promise<Result> {
  for (let left = rescueTries; left > 1; left -= 1) {
    try {
      return await read()
    } catch (error) {
      if (!begin.hasBegun || signal.aborted) throw error
    }
    await pause(rescuePauseMs, signal)
  }
  return read()
}

/** The first index for which `isSkipped` does not hold, `end` at most. */
function skipWhile(first: number, end: number, isSkipped: (index: number) => boolean): number {
  let index = first
  while (index < end && isSkipped(index)) index += 1
  return index
}
