import type { ChunkTraffic, SourceName, TrafficMessage, TrafficTotals } from '../protocol/bridge.ts'
import { parseTotals } from '../protocol/bridge.ts'
import type { Asset } from '../protocol/chunks.ts'
import { trafficFlushMs, trafficSaveMs } from '../protocol/limits.ts'
import type { KeptState } from './kept-state.ts'
import type { CheckedChunk } from './sources.ts'

export interface TrafficOptions {
  readonly state: KeptState
  readonly tell: (message: TrafficMessage) => void
  readonly report: (error: unknown) => void
}

interface Pending extends TrafficMessage {
  readonly chunks: ChunkTraffic[]
}

const stateKey = 'traffic'
const nothing: TrafficTotals = {
  bytes: { store: 0, peers: 0, origin: 0 },
  duplicateBytes: 0,
  prefetchedBytes: { peers: 0, origin: 0 },
  requests: 0,
  fallbacks: 0,
  badChunks: 0,
}

/** Counts where bytes came from, tells the pages in batches, and keeps the sums. */
export class Traffic {
  readonly #options: TrafficOptions
  readonly #pending = new Map<string, Pending>()
  /** Of this life of the worker. */
  #own = nothing
  /** Of the lives before. */
  #earlier: Promise<TrafficTotals> | undefined
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  #saveTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: TrafficOptions) {
    this.#options = options
  }

  onRequest(): void {
    this.#count({ requests: this.#own.requests + 1 })
  }

  onFallback(): void {
    this.#count({ fallbacks: this.#own.fallbacks + 1 })
  }

  /** Bytes came that were not what the manifest says. */
  onBad(source: SourceName, bytes: number): void {
    this.#count({ badChunks: this.#own.badChunks + 1 })
    if (source !== 'store') this.onDuplicate(bytes)
  }

  onDuplicate(bytes: number): void {
    this.#count({ duplicateBytes: this.#own.duplicateBytes + bytes })
  }

  /** Bytes came for a page that is not there yet. */
  onPrefetched(source: SourceName, length: number): void {
    if (source === 'store') return
    const { prefetchedBytes } = this.#own
    const key = source === 'peer' ? 'peers' : source
    this.#count({ prefetchedBytes: { ...prefetchedBytes, [key]: prefetchedBytes[key] + length } })
  }

  /** A page was given `length` bytes of a chunk. */
  onDelivered({ path, size, chunkSize }: Asset, { chunk, source, peer }: CheckedChunk, length: number): void {
    const { bytes } = this.#own
    const key = source === 'peer' ? 'peers' : source
    this.#count({ bytes: { ...bytes, [key]: bytes[key] + length } })
    const pending = this.#pending.get(path) ?? { path, size, chunkSize, chunks: [] }
    pending.chunks.push({ index: chunk.index, source, bytes: length, peer })
    this.#pending.set(path, pending)
    this.#flushTimer ??= setTimeout(() => this.flush(), trafficFlushMs)
  }

  /** Tells the pages what they do not know yet. */
  flush(): void {
    clearTimeout(this.#flushTimer)
    this.#flushTimer = undefined
    for (const message of this.#pending.values()) this.#options.tell(message)
    this.#pending.clear()
  }

  async totals(): Promise<TrafficTotals> {
    this.#earlier ??= this.#load()
    return add(await this.#earlier, this.#own)
  }

  /** Ends all counting and keeping. */
  stop(): void {
    clearTimeout(this.#saveTimer)
    this.flush()
  }

  #count(change: Partial<TrafficTotals>): void {
    this.#own = { ...this.#own, ...change }
    this.#saveTimer ??= setTimeout(() => {
      this.#saveTimer = undefined
      this.totals()
        .then((totals) => this.#options.state.save(stateKey, totals))
        .catch((error: unknown) => this.#options.report(error))
    }, trafficSaveMs)
  }

  async #load(): Promise<TrafficTotals> {
    try {
      const kept = await this.#options.state.load(stateKey)
      return kept === undefined ? nothing : parseTotals(kept)
    } catch (error) {
      this.#options.report(error)
      return nothing
    }
  }
}

function add(one: TrafficTotals, other: TrafficTotals): TrafficTotals {
  return {
    bytes: {
      store: one.bytes.store + other.bytes.store,
      peers: one.bytes.peers + other.bytes.peers,
      origin: one.bytes.origin + other.bytes.origin,
    },
    duplicateBytes: one.duplicateBytes + other.duplicateBytes,
    prefetchedBytes: {
      peers: one.prefetchedBytes.peers + other.prefetchedBytes.peers,
      origin: one.prefetchedBytes.origin + other.prefetchedBytes.origin,
    },
    requests: one.requests + other.requests,
    fallbacks: one.fallbacks + other.fallbacks,
    badChunks: one.badChunks + other.badChunks,
  }
}
