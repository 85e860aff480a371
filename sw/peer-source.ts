import type { Asset } from '../protocol/chunks.ts'
import {
  aheadDeadlineMs,
  aheadFloorMs,
  findAgainMs,
  peerAssetBytes,
  peerChunkDeadlineMs,
  peerListDeadlineMs,
  peerMissMs,
  peerPatienceMs,
  peerPatiencePerChunkMs,
  rescueDeadlineMs,
  rescuePauseMs,
  rescueTries,
} from '../protocol/limits.ts'
import { pause } from './deadline.ts'
import type { PageBridge, PeerChunk, PeerRead } from './page-bridge.ts'
import type { ChunkSource, Delivery } from './sources.ts'
import type { Chunk } from './verify.ts'

export interface PeerSourceOptions {
  readonly asset: Asset
  readonly bridge: Pick<PageBridge, 'isLinked' | 'openBytes' | 'ready' | 'find' | 'read'>
  /** How fast the origin answers; undefined as long as nobody knows. */
  readonly originBytesPerSecond: () => number | undefined
  /** Whether the site allows peers at this moment. */
  readonly mayUsePeers: (path: string) => boolean
  readonly now: () => number
}

interface OpenRead {
  readonly read: PeerRead
  /** Since when the page waits for it. */
  neededAt: number | undefined
}

/** What is assumed of an origin that was not measured yet: the same as of a peer. */
const unknownOriginBytesPerSecond = 2_000_000

/**
 * Other visitors, as a source for one response. Asks only where somebody holds the asset, and gives up when they cost
 * the page more time than one response has for them.
 */
export class PeerSource implements ChunkSource {
  readonly name = 'peer'
  readonly #options: PeerSourceOptions
  #holders = 0
  /** Whether anybody ever said that they hold it. */
  #hasHolders = false
  #askedAt = 0
  /** Time that peers may still lose. */
  #patienceMs = peerPatienceMs
  /** The last chunk that the page waited for. */
  #needed = -1
  readonly #open = new Map<number, OpenRead>()

  constructor(options: PeerSourceOptions) {
    this.#options = options
  }

  /** Whether the next chunk is worth asking for. */
  get isPromising(): boolean {
    return this.#holders > 0 && this.#patienceMs >= peerListDeadlineMs && this.#isUsable
  }

  /** From now on the page waits for this chunk. */
  need(index: number): void {
    this.#needed = index
    const open = this.#open.get(index)
    if (open === undefined || open.neededAt !== undefined) return
    open.neededAt = this.#options.now()
    open.read.hurry(this.#urgentMs)
  }

  /** Asks who holds the asset. */
  async find(signal: AbortSignal): Promise<void> {
    const { asset, bridge, now } = this.#options
    if (asset.size < peerAssetBytes) return
    await bridge.ready()
    if (!this.#isUsable) return
    this.#askedAt = now()
    this.#holders = await bridge.find(asset, signal)
    this.#hasHolders ||= this.#holders > 0
  }

  async read(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    if (!this.isPromising) {
      this.#findAgain(signal)
      return undefined
    }
    if (chunk.index < 0) return this.#read(chunk, signal, peerListDeadlineMs)
    if (chunk.index <= this.#needed) return this.#read(chunk, signal, this.#urgentMs)
    return this.#read(chunk, signal, aheadDeadlineMs, this.#originMs(chunk.length))
  }

  /** The same peers when the origin failed: once more, also after they failed often. */
  async readAgain(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    if (!this.#isUsable) return undefined
    if (this.#holders === 0) await this.find(signal)
    return this.#holders === 0 ? undefined : this.#read(chunk, signal, peerChunkDeadlineMs)
  }

  /**
   * The same peers when nothing else is left: with patience, for otherwise the response breaks. Where nobody ever
   * said that they hold the asset, it fails at once.
   */
  async readPatiently(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    const { now } = this.#options
    const end = now() + rescueDeadlineMs
    for (let left = rescueTries; left > 0 && this.#isUsable && now() < end; left -= 1) {
      if (this.#holders === 0) await this.find(signal)
      const delivery = this.#holders === 0 ? undefined : await this.#read(chunk, signal, Math.max(0, end - now()))
      if (delivery || !this.#hasHolders || signal.aborted) return delivery
      await pause(rescuePauseMs, signal)
      this.#holders = 0 // those who failed rest a while: who is left?
    }
    return undefined
  }

  get #urgentMs(): number {
    return Math.max(0, Math.min(peerChunkDeadlineMs, this.#patienceMs))
  }

  /** How long the origin would take for all that peers were asked for: what they cannot give sooner, it is asked for. */
  #originMs(length: number): number {
    const { bridge, originBytesPerSecond } = this.#options
    const rate = originBytesPerSecond() ?? unknownOriginBytesPerSecond
    const originMs = ((bridge.openBytes + length) / rate) * 1000
    return Math.ceil(Math.min(aheadDeadlineMs, Math.max(aheadFloorMs, originMs)))
  }

  get #isUsable(): boolean {
    return this.#options.bridge.isLinked && this.#options.mayUsePeers(this.#options.asset.path)
  }

  /** Peers that came during a long response take over what is still missing. */
  #findAgain(signal: AbortSignal): void {
    const { asset, now } = this.#options
    if (this.#holders > 0 || asset.size < peerAssetBytes || now() - this.#askedAt < findAgainMs) return
    this.#askedAt = now()
    this.find(signal).catch(() => {}) // nobody then, as before
  }

  async #read(
    { index, length }: Chunk,
    signal: AbortSignal,
    deadlineMs: number,
    promptMs?: number,
  ): Promise<Delivery | undefined> {
    const { asset, bridge, now } = this.#options
    const isUrgent = promptMs === undefined
    const neededAt = isUrgent ? now() : undefined
    const ask = { index, length, deadlineMs, promptMs: promptMs ?? deadlineMs, isUrgent }
    const read = bridge.read(asset, ask, signal)
    const open: OpenRead = { read, neededAt }
    if (!isUrgent) this.#open.set(index, open)
    const answer = await read.answer
    this.#open.delete(index)
    if (typeof answer !== 'string') {
      this.#patienceMs += peerPatiencePerChunkMs
      return { bytes: answer.bytes, peer: answer.peer, refuse: () => this.#refuse(answer) }
    }
    // Nobody has just this chunk, or the page went away: neither cost time.
    if (answer === 'nobody' || answer === 'stopped') return undefined
    const waitedMs = open.neededAt === undefined ? 0 : now() - open.neededAt
    this.#lose(Math.max(peerMissMs, waitedMs))
    return undefined
  }

  #refuse(chunk: PeerChunk): void {
    this.#lose(peerMissMs)
    chunk.blame()
  }

  /** Once there is no patience left, what was read ahead of peers is the origin's: the page would wait for each in turn. */
  #lose(ms: number): void {
    this.#patienceMs -= ms
    if (!this.isPromising) for (const { read } of this.#open.values()) read.withdraw()
  }
}
