import type { Bytes } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import {
  bufferedLimitBytes,
  partBurst,
  partsPerSecond,
  unitBytes,
  uploadQueueMs,
  uploadSlots,
  wantsPerPeer,
  yieldMs,
} from '../protocol/limits.ts'
import type { PeerFrame, Want } from '../protocol/peer-wire.ts'
import { partIndexOnWire } from '../protocol/peer-wire.ts'
import { TokenBucket } from './budget.ts'
import type { Clock } from './clock.ts'
import { RateMeter } from '../protocol/rate-meter.ts'
import { Uplink } from './uplink.ts'

/** A peer that asks, as the upload side sees it. */
export interface UploadClient {
  readonly bufferedAmount: number
  send(frame: PeerFrame): void
  /** Whether it may be told of this asset at all. */
  isInScope(asset: ContentId): boolean
}

type ReadChunk = (asset: ContentId, index: number) => Promise<Bytes | undefined>

const longestWaitMs = 60_000

/**
 * What others asked of us: one queue a peer, served in turn, so that a greedy one only delays itself. It sends no
 * faster than the visitor's limit and no more than the day's share, and refuses what would have to wait too long:
 * a refused peer asks another at once, a waiting one misses its deadline.
 */
export class Uploads {
  readonly #read: ReadChunk
  readonly #clock: Clock
  readonly #queues = new Map<UploadClient, Want[]>()
  readonly #rate = new RateMeter()
  readonly #parts = new Map<UploadClient, TokenBucket>()
  readonly #uplink = new Uplink()
  #yieldsUntil = -Infinity
  #bucket: TokenBucket
  #bytesPerSecond = 0
  #bytesLeft = Infinity
  #day: number | undefined
  /** Queued, or being read for an answer. */
  #owedBytes = 0
  #uploadedBytes = 0
  #isServing = false
  #cancelWait: () => void = () => {}

  constructor(read: ReadChunk, clock: Clock) {
    this.#read = read
    this.#clock = clock
    this.#bucket = new TokenBucket(0, 0, 0)
  }

  get uploadedBytes(): number {
    return this.#uploadedBytes
  }

  get isAllowed(): boolean {
    return this.#bytesPerSecond > 0 && this.#bytesLeft >= unitBytes
  }

  /**
   * @param bytesLeft to send from now on; raises what an earlier call left on another day only, as its sum may be a
   * little old
   */
  setLimit(bytesPerSecond: number, bytesLeft: number, day: number): void {
    this.#bytesPerSecond = bytesPerSecond
    this.#bytesLeft = day === this.#day ? Math.min(this.#bytesLeft, bytesLeft) : bytesLeft
    this.#day = day
    const burst = bytesPerSecond > 0 ? Math.max(unitBytes, bytesPerSecond / 20) : 0
    this.#bucket = new TokenBucket(bytesPerSecond, burst, this.#clock.now())
    if (!this.isAllowed) this.#refuseAll()
    // What waited for the old bucket.
    this.serve()
  }

  want(client: UploadClient, want: Want): void {
    const isPart = want.index === partIndexOnWire
    // One word for unknown, not held and out of scope: an answer must not tell what the device has.
    if (isPart ? !this.#mayAskPart(client) : !client.isInScope(want.asset)) {
      client.send({ type: 'absent', request: want.request })
      return
    }
    const queue = this.#queues.get(client) ?? []
    const retryAfterMs = this.#isTooMuch(client, queue.length, want.length)
    if (retryAfterMs > 0) {
      client.send({ type: 'busy', request: want.request, retryAfterMs: Math.min(longestWaitMs, retryAfterMs) })
      return
    }
    queue.push(want)
    this.#queues.set(client, queue)
    this.#owedBytes += want.length
    this.serve()
  }

  /** Each is looked for on disk, by an id that anybody can make up. */
  #mayAskPart(client: UploadClient): boolean {
    const now = this.#clock.now()
    const bucket = this.#parts.get(client) ?? new TokenBucket(partsPerSecond, partBurst, now)
    this.#parts.set(client, bucket)
    return bucket.take(1, now)
  }

  cancel(client: UploadClient, request: number): void {
    const queue = this.#queues.get(client)
    const at = queue?.findIndex((want) => want.request === request) ?? -1
    const [want] = at < 0 ? [] : (queue?.splice(at, 1) ?? [])
    if (want) this.#owedBytes -= want.length
  }

  /** The peer went. */
  leave(client: UploadClient): void {
    for (const want of this.#queues.get(client) ?? []) this.#owedBytes -= want.length
    this.#queues.delete(client)
    this.#parts.delete(client)
  }

  stop(): void {
    for (const client of this.#queues.keys()) this.leave(client)
    this.#cancelWait()
  }

  /** The page loads something itself: others are refused meanwhile, for a while at most. */
  yield(isLoading: boolean): void {
    this.#yieldsUntil = isLoading ? this.#clock.now() + yieldMs : -Infinity
  }

  /** Goes on after a channel has room again. */
  serve(): void {
    this.#look()
    if (!this.#isServing) void this.#serveAll()
  }

  async #serveAll(): Promise<void> {
    this.#isServing = true
    this.#cancelWait()
    try {
      for (let next = this.#next(); next; next = this.#next()) {
        const waitMs = this.#bucket.waitMs(next.want.length, this.#clock.now())
        if (waitMs > 0) {
          if (waitMs < Infinity) this.#cancelWait = this.#clock.after(waitMs, () => this.serve())
          return
        }
        next.queue.shift()
        // To the end of the row.
        this.#queues.delete(next.client)
        this.#queues.set(next.client, next.queue)
        await this.#answer(next.client, next.want)
        this.#owedBytes -= next.want.length
      }
      if (this.#owedBytes === 0) this.#rate.paused()
    } finally {
      this.#isServing = false
    }
  }

  /** The first want of the first peer whose channel has room. */
  #next(): { client: UploadClient; queue: Want[]; want: Want } | undefined {
    for (const [client, queue] of this.#queues) {
      const want = queue[0]
      if (want && client.bufferedAmount <= bufferedLimitBytes) return { client, queue, want }
    }
    return undefined
  }

  async #answer(client: UploadClient, want: Want): Promise<void> {
    this.#rate.started(this.#clock.now())
    const { request, asset, index, offset } = want
    const chunk = await this.#read(asset, index)
    if (!this.#queues.has(client)) return
    const left = (chunk?.length ?? 0) - offset
    // Of a part the asker does not know the length.
    const length = index === partIndexOnWire ? Math.min(want.length, left) : want.length
    if (chunk === undefined || left < Math.max(1, length)) {
      client.send({ type: 'absent', request })
      return
    }
    // The limit changed during the read.
    if (this.#bytesPerSecond === 0 || length > this.#bytesLeft) {
      client.send({ type: 'busy', request, retryAfterMs: longestWaitMs })
      return
    }
    this.#bucket.take(length, this.#clock.now())
    this.#bytesLeft -= length
    this.#uploadedBytes += length
    this.#rate.moved(length, this.#clock.now())
    client.send({ type: 'data', request, bytes: chunk.subarray(offset, offset + length) })
    this.#look()
  }

  #look(): void {
    this.#uplink.look(this.#uploadedBytes, this.#unsentBytes, this.#clock.now())
  }

  get #unsentBytes(): number {
    let bytes = 0
    for (const { bufferedAmount } of this.#queues.keys()) bytes += bufferedAmount
    return bytes
  }

  /** The visitor's line became one to be spared. */
  #refuseAll(): void {
    for (const [client, queue] of this.#queues) {
      for (const { request, length } of queue.splice(0)) {
        this.#owedBytes -= length
        client.send({ type: 'busy', request, retryAfterMs: longestWaitMs })
      }
    }
  }

  /** Milliseconds until another want may be tried, 0 where this one is welcome. */
  #isTooMuch(client: UploadClient, openWants: number, length: number): number {
    const now = this.#clock.now()
    if (!this.isAllowed || this.#owedBytes + length > this.#bytesLeft || this.#uplink.isPoor(now)) return longestWaitMs
    if (openWants >= wantsPerPeer || now < this.#yieldsUntil || !this.#hasSlot(client)) return uploadQueueMs
    const { bytesPerSecond = Infinity } = this.#uplink
    const rate = Math.min(this.#bytesPerSecond, this.#rate.bytesPerSecond ?? Infinity, bytesPerSecond)
    const queueMs = ((this.#owedBytes + this.#unsentBytes) / rate) * 1000
    return queueMs > uploadQueueMs ? Math.ceil(queueMs) : 0
  }

  /** A few at a time have more of it than many. */
  #hasSlot(client: UploadClient): boolean {
    let served = 0
    for (const [other, queue] of this.#queues) {
      if (other === client) return true
      if (queue.length > 0 || other.bufferedAmount > 0) served += 1
    }
    return served < uploadSlots
  }
}
