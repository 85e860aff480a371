import { listIndex } from '../protocol/bridge.ts'
import type { Asset } from '../protocol/chunks.ts'
import {
  findAgainMs,
  peerAssetBytes,
  peerChunkDeadlineMs,
  peerListDeadlineMs,
  peerMissForgiveness,
  peerMissLimit,
  rescueDeadlineMs,
  rescuePauseMs,
  rescueTries,
} from '../protocol/limits.ts'
import { pause } from './deadline.ts'
import type { PageBridge } from './page-bridge.ts'
import type { ChunkSource, Delivery } from './sources.ts'
import type { Chunk } from './verify.ts'

export interface PeerSourceOptions {
  readonly asset: Asset
  readonly bridge: Pick<PageBridge, 'isLinked' | 'ready' | 'find' | 'read'>
  /** Whether the site allows peers at this moment. */
  readonly mayUsePeers: () => boolean
  readonly now: () => number
}

/** Other visitors, as a source for one response. Asks only where somebody holds the asset, and gives up when they fail. */
export class PeerSource implements ChunkSource {
  readonly name = 'peer'
  readonly #options: PeerSourceOptions
  #holders = 0
  /** Whether anybody ever said that they hold it. */
  #hasHolders = false
  #askedAt = 0
  #hits = 0
  #misses = 0

  constructor(options: PeerSourceOptions) {
    this.#options = options
  }

  /** Whether the next chunk is worth asking for. */
  get isPromising(): boolean {
    const patience = peerMissLimit + Math.floor(this.#hits / peerMissForgiveness)
    return this.#holders > 0 && this.#misses < patience && this.#isUsable
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
    return this.#read(chunk, signal, chunk.index === listIndex ? peerListDeadlineMs : peerChunkDeadlineMs)
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

  get #isUsable(): boolean {
    return this.#options.bridge.isLinked && this.#options.mayUsePeers()
  }

  /** Peers that came during a long response take over what is still missing. */
  #findAgain(signal: AbortSignal): void {
    const { asset, now } = this.#options
    if (this.#holders > 0 || asset.size < peerAssetBytes || now() - this.#askedAt < findAgainMs) return
    this.#askedAt = now()
    this.find(signal).catch(() => {}) // nobody then, as before
  }

  async #read({ index, length }: Chunk, signal: AbortSignal, deadlineMs: number): Promise<Delivery | undefined> {
    const { asset, bridge } = this.#options
    const answer = await bridge.read(asset, { index, length, deadlineMs }, signal)
    if (typeof answer === 'string') {
      // Nobody has just this chunk, or the page went away: neither cost time.
      if (answer !== 'nobody' && answer !== 'stopped') this.#misses += 1
      return undefined
    }
    this.#hits += 1
    const refuse = (): void => {
      this.#misses += 1
      answer.blame()
    }
    return { bytes: answer.bytes, peer: answer.peer, refuse }
  }
}
