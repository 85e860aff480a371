import type { PeerId } from '../../protocol/ids.ts'
import { createSystemClock } from '../../sdk/clock.ts'
import { Downloads } from '../../sdk/downloads.ts'
import type { AskedPeer } from '../../sdk/reads.ts'
import { Standing } from '../../sdk/standing.ts'
import { Uploads } from '../../sdk/uploads.ts'
import { SimLine } from './sim-line.ts'

export interface PeerShape {
  readonly bitsPerSecond: number
  readonly roundTripMs: number
  /** From then on, after the visit's begin, it can be asked. */
  readonly fromMs?: number
  /** From then on it says nothing, and nobody is told. */
  readonly diesAtMs?: number
  readonly lies?: boolean
}

const clock = createSystemClock()

/** A visitor that holds everything, at the other end of a connection: the shipped upload and download sides. */
export class SimPeer implements AskedPeer {
  readonly peer: PeerId
  readonly standing = new Standing()
  readonly downloads: Downloads
  readonly holdings: NonNullable<AskedPeer['holdings']> = {
    stateOf: () => 'whole',
    hasChunk: () => true,
    wantsMap: () => false,
    forget: () => {},
  }
  readonly #shape: PeerShape
  readonly #line: SimLine
  readonly #begin = performance.now()
  isBanned = false

  constructor(number: number, shape: PeerShape, lengthOf: (index: number) => number) {
    this.peer = number.toString(16).padStart(32, '0') as PeerId
    this.#shape = shape
    this.#line = new SimLine(shape.bitsPerSecond, shape.roundTripMs)
    const uploads = new Uploads(
      (_, index) => Promise.resolve(new Uint8Array(lengthOf(index)).fill(shape.lies ? 1 : 0)),
      clock,
    )
    uploads.setLimit(1e9, 1e9, 1)
    let unsent = 0
    const client: Parameters<Uploads['want']>[0] = {
      get bufferedAmount() {
        return unsent
      },
      isInScope: () => true,
      send: (frame) => {
        if (this.#isDead || (frame.type !== 'data' && frame.type !== 'busy' && frame.type !== 'absent')) return
        const bytes = frame.type === 'data' ? frame.bytes.length : 20
        unsent += bytes
        const left = (): void => {
          unsent -= bytes
          uploads.serve()
        }
        this.#line.send(bytes, left, () => {
          if (!this.#isDead && !this.isBanned) this.downloads.accept(frame)
        })
      },
    }
    this.downloads = new Downloads((frame) => {
      setTimeout(() => {
        if (frame.type === 'want') uploads.want(client, frame)
        if (frame.type === 'cancel') uploads.cancel(client, frame.request)
      }, shape.roundTripMs / 2)
    }, clock)
  }

  /** Whether it is connected. */
  get isThere(): boolean {
    return !this.isBanned && this.#ageMs >= (this.#shape.fromMs ?? 0)
  }

  get #ageMs(): number {
    return performance.now() - this.#begin
  }

  get #isDead(): boolean {
    return this.#ageMs >= (this.#shape.diesAtMs ?? Infinity)
  }

  get sentBytes(): number {
    return this.#line.sentBytes
  }

  get roundTripMs(): number | undefined {
    return this.downloads.roundTripMs
  }

  get bytesPerSecond(): number | undefined {
    return this.downloads.bytesPerSecond
  }

  get failureRate(): number {
    return this.standing.failureRate
  }

  queuedBytes(rank: 0 | 1 | 2): number {
    return this.downloads.queuedBytes(rank)
  }

  send(): void {}

  end(): void {
    this.isBanned = true
    this.downloads.failAll('closed')
  }
}
