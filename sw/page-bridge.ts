import type { ExchangeToWorker, MissReason, WorkerToExchange } from '../protocol/bridge.ts'
import { parseExchangeToWorker } from '../protocol/bridge.ts'
import type { Bytes } from '../protocol/bytes.ts'
import type { Asset } from '../protocol/chunks.ts'
import type { ContentId, PeerId } from '../protocol/ids.ts'
import { linkMemoryMs, linkWaitMs, portSilenceMs, readsInFlight, wordLimitBytes } from '../protocol/limits.ts'
import { Aborts } from './aborts.ts'
import { within } from './deadline.ts'
import type { Rule } from './rule.ts'

/** A MessagePort, as far as the conversation needs it. */
export interface ExchangePort {
  listen(hear: (message: unknown) => void): void
  post(message: WorkerToExchange): void
  close(): void
}

export interface BridgeOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Asks the site's pages for a new port. */
  readonly askRelink: () => void
  /** When a page was linked last, of an earlier life of the worker; undefined: never. */
  readonly loadLinkedAt: () => Promise<number | undefined>
  readonly saveLinkedAt: (at: number) => void
  /** Resolves when nobody holds this lock. */
  readonly untilFree: (lock: string, signal: AbortSignal) => Promise<unknown>
  /** Bytes came that nobody waits for any more. */
  readonly onDuplicate: (bytes: number) => void
  /** So many peers said that they hold an asset, or a part of it. */
  readonly onHolders: (id: ContentId, holders: number) => void
  /** A peer said that it believes this fresh. */
  readonly onHeard: (envelope: string) => void
  /** The page has this pass now. */
  readonly onPass: (pass: string) => void
}

export interface PeerChunk {
  readonly peer: PeerId
  readonly bytes: Bytes
  /** The bytes were not what the manifest says. */
  blame(): void
}

/** A chunk that peers were asked for. */
export interface PeerRead {
  /** The chunk, not checked, or why there is none. */
  readonly answer: Promise<PeerChunk | MissReason | 'silence'>
  /** From now on the page waits for it. */
  hurry(deadlineMs: number): void
  withdraw(): void
}

type Answer = ExchangeToWorker | 'silence'
type Ask = Pick<
  Extract<WorkerToExchange, { type: 'read' }>,
  'index' | 'length' | 'deadlineMs' | 'promptMs' | 'isUrgent'
>

interface Asked {
  readonly answer: Promise<Answer>
  /** How long to wait, from now. */
  readonly wait: (ms: number) => void
  readonly cancel: () => void
}

/**
 * The worker's end of the conversation with the exchange, over the port that a page brokered. Either side may be gone
 * without a word, so nothing waits for an answer beyond a bound, and who was silent counts as gone until a page links again.
 */
export class PageBridge {
  readonly #options: BridgeOptions
  readonly #aborts = new Aborts()
  readonly #waiting = new Map<number, (answer: Answer) => void>()
  #port: ExchangePort | undefined
  #owner: string | undefined
  #lastRequest = 0
  #loading = 0
  #heardAt = 0
  #savedAt = 0
  #firstLink: Promise<unknown> | undefined
  #onLink: (() => void) | undefined
  #watching = new AbortController()

  constructor(options: BridgeOptions) {
    this.#options = options
  }

  get isLinked(): boolean {
    return this.#port !== undefined
  }

  /**
   * @param owner the page, so that only it can take its port back
   * @param lock free when that page is gone: of a crash, nothing else tells
   */
  link(port: ExchangePort, owner: string, lock?: string): void {
    this.#stopAll()
    this.#port?.close()
    this.#watch(port, lock)
    this.#port = port
    this.#owner = owner
    port.listen((message) => {
      if (port === this.#port) this.#hear(message)
    })
    this.#alive()
    if (this.#loading > 0) this.#post({ type: 'loading', isLoading: true })
    this.#onLink?.()
  }

  /** A page begins to wait for something, or has it: while one does, seeding stands back. */
  loads(begins: boolean): void {
    this.#loading += begins ? 1 : -1
    if (this.#loading === (begins ? 1 : 0)) this.#post({ type: 'loading', isLoading: begins })
  }

  /** Tells the exchange what holds for it. @param clockOffsetMs what the origin's clock is ahead of this device's */
  rule({ servesUntil, off, isCutOff, word, passes }: Omit<Rule, 'peers'>, clockOffsetMs: number): void {
    // A worker that was woken by what the tracker pushed has no port any more, and the exchange must hear of it all the same.
    if (this.#port === undefined) return this.#options.askRelink()
    const now = this.#options.now()
    if (passes) this.#post({ type: 'passes', ...passes, now: Math.floor((now + clockOffsetMs) / 1000) })
    if (word !== undefined && word.length <= wordLimitBytes) this.#post({ type: 'word', envelope: word })
    this.#post({ type: 'rule', servesMs: Math.max(0, Math.ceil(servesUntil - now)), off, isCutOff })
  }

  unlink(owner: string): void {
    if (owner === this.#owner) this.#drop()
  }

  /** After a start of the worker: waits a moment for the page that was linked just before, and never again. */
  async ready(): Promise<void> {
    this.#firstLink ??= this.#port ? Promise.resolve() : this.#awaitLink()
    await this.#firstLink
  }

  /** How many peers say that they hold the asset or a part of it; 0 where nobody answers. */
  async find({ id, section }: Asset, signal: AbortSignal): Promise<number> {
    const request = this.#number()
    const answer = await this.#ask({ type: 'find', request, asset: id, section }, portSilenceMs, signal).answer
    if (answer === 'silence' || answer.type !== 'found') return 0
    this.#options.onHolders(id, answer.holders)
    return answer.holders
  }

  read({ id, section }: Pick<Asset, 'id' | 'section'>, ask: Ask, signal: AbortSignal): PeerRead {
    const request = this.#number()
    // The exchange keeps the deadline itself; beyond it and a bit, nobody is there to keep it.
    const asked = this.#ask(
      { type: 'read', request, asset: id, section, ...ask },
      ask.deadlineMs + portSilenceMs,
      signal,
    )
    return {
      answer: this.#chunkOf(request, asked.answer),
      hurry: (deadlineMs) => {
        if (!this.#waiting.has(request)) return
        this.#post({ type: 'hurry', request, deadlineMs })
        asked.wait(deadlineMs + portSilenceMs)
      },
      withdraw: asked.cancel,
    }
  }

  async #chunkOf(request: number, answered: Promise<Answer>): Promise<PeerChunk | MissReason | 'silence'> {
    const answer = await answered
    if (answer === 'silence') return 'silence'
    if (answer.type !== 'chunk') return answer.type === 'miss' ? answer.reason : 'refused'
    const { peer, bytes } = answer
    return { peer, bytes: new Uint8Array(bytes), blame: () => this.#post({ type: 'blame', request, peer }) }
  }

  #number(): number {
    this.#lastRequest += 1
    return this.#lastRequest
  }

  #ask(message: Extract<WorkerToExchange, { type: 'find' | 'read' }>, ms: number, signal: AbortSignal): Asked {
    const { request } = message
    if (this.#port === undefined || signal.aborted || this.#waiting.size >= readsInFlight) {
      return { answer: Promise.resolve({ type: 'miss', request, reason: 'stopped' }), wait: () => {}, cancel: () => {} }
    }
    let askedAt = this.#options.now()
    let settle: (answer: Answer) => void = () => {}
    const answer = new Promise<Answer>((resolve) => (settle = resolve)).finally(() => {
      clearTimeout(timer)
      forget()
    })
    const end = (outcome: Answer): void => {
      if (!this.#waiting.delete(request)) return
      this.#post({ type: 'cancel', request })
      settle(outcome)
    }
    const cancel = (): void => end({ type: 'miss', request, reason: 'stopped' })
    const expire = (): void => {
      end('silence')
      // It may be just this answer that is late: a side that spoke since is alive.
      if (this.#heardAt >= askedAt) return
      this.#drop()
      this.#options.askRelink()
    }
    let timer = setTimeout(expire, ms)
    const wait = (duration: number): void => {
      askedAt = this.#options.now()
      clearTimeout(timer)
      timer = setTimeout(expire, duration)
    }
    const forget = this.#aborts.on(signal, cancel)
    this.#waiting.set(request, settle)
    this.#post(message)
    return { answer, wait, cancel }
  }

  #hear(value: unknown): void {
    this.#alive()
    let message: ExchangeToWorker
    try {
      message = parseExchangeToWorker(value)
    } catch {
      return // another version of us: its silence about our requests will tell
    }
    if (message.type === 'heard') return this.#options.onHeard(message.envelope)
    if (message.type === 'pass') return this.#options.onPass(message.pass)
    const settle = this.#waiting.get(message.request)
    this.#waiting.delete(message.request)
    if (settle) settle(message)
    else if (message.type === 'chunk') this.#options.onDuplicate(message.bytes.byteLength)
  }

  #post(message: WorkerToExchange): void {
    this.#port?.post(message)
  }

  #alive(): void {
    this.#heardAt = this.#options.now()
    if (this.#heardAt - this.#savedAt < linkMemoryMs / 6) return
    this.#savedAt = this.#heardAt
    this.#options.saveLinkedAt(this.#heardAt)
  }

  #watch(port: ExchangePort, lock: string | undefined): void {
    this.#watching.abort()
    this.#watching = new AbortController()
    if (lock === undefined) return
    const gone = (): void => {
      if (port === this.#port) this.#drop()
    }
    this.#options.untilFree(lock, this.#watching.signal).then(gone, () => {}) // then silence tells, if later
  }

  #drop(): void {
    this.#watching.abort()
    this.#port?.close()
    this.#port = undefined
    this.#owner = undefined
    this.#savedAt = 0
    this.#options.saveLinkedAt(0)
    this.#stopAll()
  }

  #stopAll(): void {
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const [request, settle] of waiting) settle({ type: 'miss', request, reason: 'stopped' })
  }

  async #awaitLink(): Promise<void> {
    const link = new Promise<void>((resolve) => (this.#onLink = resolve))
    this.#options.askRelink()
    const linkedAt = await this.#options.loadLinkedAt()
    if (linkedAt === undefined || this.#options.now() - linkedAt > linkMemoryMs) return
    await within(linkWaitMs, link)
  }
}
