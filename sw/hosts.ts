import * as v from 'valibot'
import { hostOpenMs, hostPauseMs } from '../protocol/limits.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'

export interface HostsOptions {
  readonly state: KeptState
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly report: (error: unknown) => void
}

const stateKey = 'hosts'
/** Until when each is open. */
const hostsSchema = v.record(v.string(), v.number())

/**
 * The owner's other hosts. A request is answered only where it was seen before that this worker can read from its host:
 * one without CORS, or one that the worker's own policy (CSP, of the worker's file) forbids, would fail in here, and
 * with it the page's request, which would not have failed without us.
 */
export class Hosts {
  readonly #options: HostsOptions
  readonly #openUntil = new Map<string, number>()
  readonly #pausedUntil = new Map<string, number>()
  #loading: Promise<void> | undefined

  constructor(options: HostsOptions) {
    this.#options = options
  }

  /** What earlier lives of the worker saw. */
  load(): Promise<void> {
    this.#loading ??= this.#load()
    return this.#loading
  }

  async #load(): Promise<void> {
    const { state, now, report } = this.#options
    const kept = await loadAs(state, stateKey, hostsSchema, {}, report)
    for (const [host, until] of Object.entries(kept)) {
      if (until <= now() + hostOpenMs && !this.#pausedUntil.has(host)) this.#openUntil.set(host, until)
    }
  }

  isOpen(host: string): boolean {
    const now = this.#options.now()
    return (this.#openUntil.get(host) ?? 0) > now && (this.#pausedUntil.get(host) ?? 0) <= now
  }

  /** Whether it ever was open, as far as is known. */
  wasOpen(host: string): boolean {
    return this.#openUntil.has(host)
  }

  /** Sees, once in a while, whether the host of this URL can be read. */
  async check(url: string): Promise<void> {
    const { fetch, now, report } = this.#options
    const { origin: host } = new URL(url)
    // The first requests come before it is known what an earlier life saw: that is asked for once a day.
    await this.#loading
    if (this.isOpen(host) || (this.#pausedUntil.get(host) ?? 0) > now()) return
    this.#pausedUntil.set(host, now() + hostPauseMs)
    try {
      const headers = { range: 'bytes=0-0' }
      const response = await fetch(url, { mode: 'cors', credentials: 'omit', redirect: 'error', headers })
      await response.body?.cancel()
      if (!response.ok) return
      this.#pausedUntil.delete(host)
      this.#openUntil.set(host, now() + hostOpenMs)
      await this.#save()
    } catch (error) {
      report(error)
    }
  }

  /** It could not be read after all. */
  close(host: string): void {
    if (!this.isOpen(host)) return
    this.#openUntil.set(host, 0)
    this.#pausedUntil.set(host, this.#options.now() + hostPauseMs)
    this.#save().catch(this.#options.report)
  }

  #save(): Promise<void> {
    return this.#options.state.save(stateKey, Object.fromEntries(this.#openUntil))
  }
}
