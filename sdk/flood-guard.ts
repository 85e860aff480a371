import { ProtocolError } from '../protocol/errors.ts'
import { framesPerSecond, unaskedBurstBytes, unaskedBytesPerSecond } from '../protocol/limits.ts'
import { TokenBucket } from './budget.ts'

/** Bounds what a peer may send unasked: each frame costs us more than it costs the sender. */
export class FloodGuard {
  readonly #frames: TokenBucket
  readonly #bytes: TokenBucket

  constructor(now: number) {
    this.#frames = new TokenBucket(framesPerSecond, framesPerSecond * 2, now)
    this.#bytes = new TokenBucket(unaskedBytesPerSecond, unaskedBurstBytes, now)
  }

  /** Throws a ProtocolError where this frame is one too many. */
  admit(bytes: number, now: number): void {
    if (!this.#frames.take(1, now) || !this.#bytes.take(bytes, now)) {
      throw new ProtocolError('oversized', 'Cannot take frame: too many in too short a time')
    }
  }
}
