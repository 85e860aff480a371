import type { Pass, PassTrust } from '../protocol/pass.ts'
import { openOwnPass } from '../protocol/pass.ts'

/**
 * What this device's own pass opens, as far as the worker was told. It is in memory alone: who has none, or not yet
 * again, is given a guarded asset by the origin.
 */
export class OwnPass {
  readonly #seconds: () => number
  #token = ''
  #trust: PassTrust | undefined
  #opened: Promise<Pass | undefined> | undefined

  /** @param seconds the origin's time, since 1970 */
  constructor(seconds: () => number) {
    this.#seconds = seconds
  }

  /** The newest alone counts: a visitor who logged out gets one that opens less. */
  take(token: string): void {
    this.#token = token
    this.#opened = undefined
  }

  follow(trust: PassTrust | undefined): void {
    this.#trust = trust
    this.#opened = undefined
  }

  async covers(section: string): Promise<boolean> {
    if (this.#trust === undefined) return false
    this.#opened ??= openOwnPass(this.#token, this.#trust, this.#seconds()).catch(() => undefined)
    const pass = await this.#opened
    return pass !== undefined && pass.expires > this.#seconds() && pass.sections.includes(section)
  }
}
