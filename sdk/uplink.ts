import { poorUplinkBytesPerSecond, poorUplinkMs } from '../protocol/limits.ts'
import { RateMeter } from '../protocol/rate-meter.ts'

/**
 * How fast what is sent really leaves the device. Only while something waits in the channels all the time does it say
 * anything of the line: between two looks at it, both with unsent bytes.
 */
export class Uplink {
  #meter = new RateMeter()
  #leftBytes = 0
  #isBusy = false
  #poorSince: number | undefined

  get bytesPerSecond(): number | undefined {
    return this.#meter.bytesPerSecond
  }

  /** @param sentBytes given to the channels so far @param unsentBytes still waiting in them */
  look(sentBytes: number, unsentBytes: number, now: number): void {
    const leftBytes = sentBytes - unsentBytes
    const isBusy = unsentBytes > 0
    if (isBusy && this.#isBusy) this.#meter.moved(Math.max(0, leftBytes - this.#leftBytes), now)
    else this.#meter.paused()
    if (isBusy) this.#meter.started(now)
    this.#leftBytes = leftBytes
    this.#isBusy = isBusy
  }

  /** A line on which a chunk takes longer than anybody would wait. Measured anew after a while. */
  isPoor(now: number): boolean {
    if (this.#poorSince !== undefined) {
      if (now - this.#poorSince < poorUplinkMs) return true
      this.#poorSince = undefined
      this.#meter = new RateMeter()
    }
    if ((this.bytesPerSecond ?? Infinity) < poorUplinkBytesPerSecond) this.#poorSince = now
    return this.#poorSince !== undefined
  }
}
