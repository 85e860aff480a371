import { ProtocolError } from '../protocol/errors.ts'
import { passReturnMs } from '../protocol/limits.ts'
import type { SessionEnd, SessionHost } from './peer-session.ts'

type PassHost = Pick<SessionHost, 'clock' | 'failed' | 'graceMs' | 'passes'>

/** The pass of one peer: the session lasts as long as it holds, or a newer one that followed. */
export class PeerPass {
  readonly #host: PassHost
  readonly #end: (end: SessionEnd) => void
  #cancelEnd: () => void = () => {}
  #isChecking = false
  #hasStopped = false

  constructor(host: PassHost, end: (end: SessionEnd) => void) {
    this.#host = host
    this.#end = end
  }

  /**
   * Checks a pass and then tells its sections, or ends the session.
   * @param fingerprint of the certificate that the peer is connected with, as the page put it into the SDP: a pass that
   * was stolen, or shown by a tracker's machine in the middle, is made for another one
   */
  take(token: string, fingerprint: string, taken: (sections: readonly string[]) => void): void {
    // Minutes lie between those of an honest peer, and each costs us a signature.
    if (this.#isChecking) throw new ProtocolError('malformed', 'Cannot take pass: another is being checked')
    this.#isChecking = true
    this.#check(token, fingerprint, taken).catch(this.#host.failed)
  }

  stop(): void {
    this.#hasStopped = true
    this.#cancelEnd()
  }

  async #check(token: string, fingerprint: string, taken: (sections: readonly string[]) => void): Promise<void> {
    const { passes } = this.#host
    try {
      const { sections, leftMs } = await passes.open(token, fingerprint)
      if (this.#hasStopped) return
      this.#isChecking = false
      this.#cancelEnd()
      this.#endAfter(leftMs, false)
      taken(sections)
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // Clocks and keys of two honest sides may differ for a while; nobody honest shows the pass of another.
      this.#end(error.code === 'expired' || error.code === 'untrusted' ? 'stranger' : 'violation')
    }
  }

  /** Cut off from origin and tracker nobody gets another pass: then both sides go by the grace that the site signed. */
  #endAfter(ms: number, wasCutOff: boolean): void {
    this.#cancelEnd = this.#host.clock.after(ms, () => {
      const { graceMs } = this.#host
      const isOver = graceMs === undefined ? !wasCutOff : graceMs <= 0
      // Back again, both need a moment to fetch and show a new one.
      if (!isOver) this.#endAfter(Math.min(graceMs ?? passReturnMs, passReturnMs), graceMs !== undefined)
      else this.#end('stranger')
    })
  }
}
