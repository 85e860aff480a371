import type { Asset } from '../protocol/chunks.ts'
import {
  aheadDeadlineMs,
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
import type { Ask, ChunkSource, Delivery } from './sources.ts'
import type { Chunk } from './verify.ts'

export interface PeerSourceOptions {
  readonly asset: Asset
  readonly bridge: Pick<PageBridge, 'isLinked' | 'ready' | 'find' | 'read' | 'loads'>
  /** Whether the site allows peers at this moment. */
  readonly mayUsePeers: (path: string) => boolean
  readonly now: () => number
}

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
  readonly #open = new Map<number, PeerRead>()

  constructor(options: PeerSourceOptions) {
    this.#options = options
  }

  /** Whether the next chunk is worth asking for. */
  get isPromising(): boolean {
    return this.areThere && this.#patienceMs >= peerListDeadlineMs
  }

  /** Whether anybody holds the asset, however late they were. */
  get areThere(): boolean {
    return this.#holders > 0 && this.#isUsable
  }

  /** From now on the page waits for this chunk. */
  need(index: number): void {
    this.#needed = index
    this.#open.get(index)?.hurry(aheadDeadlineMs)
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

  /** A chunk, until somebody withdraws it. @param promptMs only who is expected to give it so soon is asked */
  ask(chunk: Chunk, promptMs: number, signal: AbortSignal): Ask {
    const { read, answer } = this.#ask(chunk, signal, aheadDeadlineMs, promptMs)
    return {
      answer,
      withdraw: (isLate) => {
        read.withdraw()
        if (!isLate) return
        this.#lose(peerMissMs)
        // Is anybody there at all? Silence is seen sooner in answer to this.
        this.#findSoon(signal)
      },
    }
  }

  /** Of a list. */
  async read(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    return this.isPromising ? this.#ask(chunk, signal, peerListDeadlineMs).answer : undefined
  }

  /** The same peers when the origin failed: once more, also after they failed often. */
  async readAgain(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    if (!this.#isUsable) return undefined
    if (this.#holders === 0) await this.find(signal)
    return this.#holders === 0 ? undefined : this.#ask(chunk, signal, peerChunkDeadlineMs).answer
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
      const deadlineMs = Math.max(0, end - now())
      const delivery = this.#holders === 0 ? undefined : await this.#ask(chunk, signal, deadlineMs).answer
      if (delivery || !this.#hasHolders || signal.aborted) return delivery
      await pause(rescuePauseMs, signal)
      this.#holders = 0 // those who failed rest a while: who is left?
    }
    return undefined
  }

  get #isUsable(): boolean {
    return this.#options.bridge.isLinked && this.#options.mayUsePeers(this.#options.asset.path)
  }

  /** Peers that came during a response take over what is still missing. */
  findAgain(signal: AbortSignal): void {
    if (this.#holders === 0 && this.#options.asset.size >= peerAssetBytes) this.#findSoon(signal)
  }

  #findSoon(signal: AbortSignal): void {
    if (this.#options.now() - this.#askedAt < findAgainMs) return
    this.#askedAt = this.#options.now()
    this.find(signal).catch(() => {}) // nobody then, as before
  }

  #ask(
    chunk: Chunk,
    signal: AbortSignal,
    deadlineMs: number,
    promptMs: number = deadlineMs,
  ): { read: PeerRead; answer: Promise<Delivery | undefined> } {
    const { asset, bridge } = this.#options
    const { index, length } = chunk
    const ask = { index, length, deadlineMs, promptMs, isUrgent: index <= this.#needed }
    const read = bridge.read(asset, ask, signal)
    this.#open.set(index, read)
    return { read, answer: this.#deliver(index, read) }
  }

  async #deliver(index: number, read: PeerRead): Promise<Delivery | undefined> {
    const answer = await read.answer
    if (this.#open.get(index) === read) this.#open.delete(index)
    if (typeof answer !== 'string') {
      this.#patienceMs += peerPatiencePerChunkMs
      return { bytes: answer.bytes, peer: answer.peer, refuse: () => this.#refuse(answer) }
    }
    // Nobody has just this chunk, or nobody waits for it any more: neither cost time.
    if (answer !== 'nobody' && answer !== 'stopped') this.#lose(peerMissMs)
    return undefined
  }

  #refuse(chunk: PeerChunk): void {
    this.#lose(peerMissMs)
    chunk.blame()
  }

  /** Once there is no patience left, what was read ahead of peers is the origin's: the page would wait for each in turn. */
  #lose(ms: number): void {
    this.#patienceMs -= ms
    if (!this.isPromising) for (const read of this.#open.values()) read.withdraw()
  }
}
