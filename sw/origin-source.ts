import type { Bytes } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import { chunkCount } from '../protocol/chunks.ts'
import { originRunLimit, sharedRunChunks } from '../protocol/limits.ts'
import { isShareable } from '../protocol/shareable.ts'
import { BodyReader } from './body-reader.ts'
import type { RunExtent } from './origin-run.ts'
import type { OriginPace } from './origin-pace.ts'
import { OriginRun } from './origin-run.ts'
import type { Ask, ChunkSource, Delivery } from './sources.ts'
import type { Chunk } from './verify.ts'
import { wireShareOf } from './wire-share.ts'

export interface OriginSourceOptions {
  readonly asset: Asset
  /** GET of the asset with these request headers. */
  readonly fetch: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Response>
  readonly pace: OriginPace
  /**
   * How far a request that begins with this chunk should go on by itself, as the end of the extent; undefined: only
   * as far as chunks were asked for, because others may bring the rest.
   */
  readonly runEnd: (first: number) => number | undefined
  /** The origin's bytes are not the manifest's: it was deployed in the meantime; or they are this visitor's alone. */
  readonly onChanged: (isPrivate: boolean) => void
}

/** What became of the origin in this response: no answer, a 5xx or 429, or other content than the manifest's. */
export type OriginState = 'good' | 'unreachable' | 'troubled' | 'changed'

interface Asked {
  readonly chunk: Chunk
  readonly resolve: (bytes: Promise<Bytes>) => void
  readonly reject: (reason: unknown) => void
}

/** The site's own server, as a source for one response: neighbouring chunks share one request. */
export class OriginSource implements ChunkSource {
  readonly name = 'origin'
  readonly #options: OriginSourceOptions
  readonly #asked = new Map<number, Asked>()
  readonly #runs = new Set<OriginRun>()
  #isScheduled = false
  /** The last chunk that the response has. */
  #passed = -1
  #state: OriginState = 'good'

  constructor(options: OriginSourceOptions, signal: AbortSignal) {
    this.#options = options
    signal.addEventListener('abort', () => this.#close(signal.reason))
  }

  get state(): OriginState {
    return this.#state
  }

  async read(chunk: Chunk, signal: AbortSignal): Promise<Delivery | undefined> {
    signal.throwIfAborted()
    return this.#read(chunk)
  }

  ask(chunk: Chunk): Ask {
    const { index } = chunk
    return {
      answer: this.#read(chunk),
      isComing: () => [...this.#runs].some((run) => run.isBringing(index)),
      withdraw: () => this.#withdraw(index),
    }
  }

  async #read(chunk: Chunk): Promise<Delivery | undefined> {
    if (this.#state === 'changed') return undefined
    const bytes = await new Promise<Bytes>((resolve, reject) => {
      this.#asked.set(chunk.index, { chunk, resolve, reject })
      this.#schedule(chunk.index)
    })
    return { bytes, refuse: () => this.#change() }
  }

  /**
   * The response has this chunk, from wherever. A request that stands idle before it would have the origin send on
   * what nobody reads, while peers or another request bring it.
   */
  passed(index: number): void {
    this.#passed = Math.max(this.#passed, index)
    this.#endPassed()
  }

  /** Chunks asked for in one go are looked at together, so that neighbours find into one request. */
  #schedule(index: number): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    const serve = (): void => {
      this.#isScheduled = false
      this.#serve()
    }
    // Where peers miss one after the other, their chunks come in tasks of their own.
    if (this.#options.runEnd(index) === undefined) setTimeout(serve, 0)
    else queueMicrotask(serve)
  }

  #serve(): void {
    // First what open runs can bring, because a new one closes those that stand idle.
    for (const asked of this.#inOrder()) this.#take(this.#runFor(asked), asked)
    for (const asked of this.#inOrder()) this.#take(this.#runFor(asked) ?? this.#openRun(asked.chunk.index), asked)
  }

  #inOrder(): readonly Asked[] {
    return [...this.#asked.values()].toSorted((one, other) => one.chunk.index - other.chunk.index)
  }

  #runFor({ chunk }: Asked): OriginRun | undefined {
    return [...this.#runs].find((run) => run.isOpen && run.next === chunk.index)
  }

  #openRun(first: number): OriginRun | undefined {
    // An idle run stands at a chunk that others brought: its connection is of more use to this one.
    for (const run of this.#runs) if (run.isIdle) this.#end(run)
    if (this.#runs.size >= originRunLimit) return undefined
    const extent = { first, end: this.#endOf(first) }
    const { asset, pace } = this.#options
    const run = new OriginRun(extent, (signal) => this.#open(extent, signal), pace, wireShareOf(asset))
    this.#runs.add(run)
    return run
  }

  #endOf(first: number): number {
    let end = this.#options.runEnd(first)
    if (end === undefined) {
      end = first + 1
      // In small pieces: what is not on its way yet can still go to peers without a loss.
      while (this.#asked.has(end) && end - first < sharedRunChunks) end += 1
    }
    for (const run of this.#runs) if (run.isOpen && run.next > first) end = Math.min(end, run.next)
    return end
  }

  /** Without a run, all of them are busy: the chunk waits until one ends. */
  #take(run: OriginRun | undefined, { chunk, resolve }: Asked): void {
    if (run === undefined) return
    this.#asked.delete(chunk.index)
    const bytes = run.take(chunk)
    resolve(bytes)
    const settle = (): void => {
      this.#endPassed()
      if (!run.isIdle) return
      if (!run.isOpen) this.#runs.delete(run)
      // Whether it is done or stands idle: what waits may have its connection.
      this.#serve()
    }
    const fail = (): void => {
      // One that was closed is no failure.
      if (this.#state === 'good' && this.#runs.has(run)) this.#state = 'unreachable'
      this.#end(run)
      this.#serve()
    }
    bytes.then(settle, fail)
  }

  /** Others brought it. A request that nobody waits for any more ends, as its connection is of more use elsewhere. */
  #withdraw(index: number): void {
    if (this.#asked.delete(index)) return
    for (const run of this.#runs) if (run.drop(index) && run.isIdle) this.#end(run)
    this.#serve()
  }

  async #open({ first, end }: RunExtent, signal: AbortSignal): Promise<BodyReader> {
    const { asset, fetch, pace } = this.#options
    const start = first * asset.chunkSize
    const last = Math.min(end * asset.chunkSize, asset.size) - 1
    // Whole assets are asked for without a range, as only then the origin compresses them; text always, for that it does.
    const isWhole = (first === 0 && end === chunkCount(asset.size, asset.chunkSize)) || wireShareOf(asset) < 1
    const headers = isWhole ? {} : { range: `bytes=${start}-${last}` }
    const response = await pace.open(() => fetch(headers, signal))
    const body = new BodyReader(response.body)
    // What the origin gives to this visitor alone must go neither into the store nor to peers, whatever was published.
    const isPrivate = response.ok && !isShareable(response.headers)
    if (isPrivate) this.#change(true)
    else if (isAsWished(response, start, asset.size)) return body
    // A server that knows no ranges gives the whole: what comes before is read and thrown away.
    else if (response.status === 200 && (await body.skip(start))) return body
    // A server in trouble may still have what it had; any other answer means that the asset is not what it was.
    else if (response.status < 500 && response.status !== 429) this.#change()
    else this.#state = 'troubled'
    await body.cancel()
    throw new Error(`Cannot read from origin: it answered ${response.status}`)
  }

  #change(isPrivate: boolean = false): void {
    if (this.#state === 'changed') return
    this.#state = 'changed'
    this.#options.onChanged(isPrivate)
    this.#close(new Error('Cannot read from origin: other bytes'))
  }

  #endPassed(): void {
    for (const run of this.#runs) if (run.isOpen && run.isIdle && run.next <= this.#passed) this.#end(run)
  }

  #end(run: OriginRun): void {
    run.close()
    this.#runs.delete(run)
  }

  #close(reason: unknown): void {
    for (const run of this.#runs) this.#end(run)
    for (const asked of this.#asked.values()) asked.reject(reason)
    this.#asked.clear()
  }
}

/** 206 with exactly the range that was asked for. */
function isAsWished({ status, headers, type }: Response, start: number, size: number): boolean {
  const range = headers.get('content-range')
  // Another host's may be hidden from us (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name); whether
  // the bytes are the right ones is checked in any case.
  if (range === null && type === 'cors') return status === 206
  const [, first, total] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range ?? '') ?? []
  return status === 206 && Number(first) === start && Number(total) === size
}
