import type { Clock } from './clock.ts'

/** The part of Web Locks that is needed. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal }, granted: () => Promise<void>): Promise<unknown>
}

/** What tabs say to each other about who leads. */
export type LeadMessage =
  /** By a hidden tab that has the lead, or is about to take it: a visible one may have it. */
  | { readonly type: 'offer' }
  /** By a visible tab without it. `isLasting`: for so long that it pays to move connections there. */
  | { readonly type: 'claim'; readonly isLasting: boolean }

export interface LeadershipPorts {
  readonly locks: Locks | undefined
  /** The site's folder on its host. */
  readonly base: string
  readonly clock: Clock
  readonly tell: (message: LeadMessage) => void
  readonly lead: () => void
  /** Another tab is to lead. */
  readonly leave: () => void
}

/** Who only looks into another tab for a moment moves nothing. */
const lastingMs = 2000
/** The visible tab may just be between two pages of the site. */
const restMs = 3000

/**
 * Which tab of the site holds the connections: the one with a lock, and of the visible ones rather than of the hidden.
 * Hidden tabs queue one at a time, and rest before they lead: on its next page the tab that the visitor looks at leads
 * again at once. Without Web Locks each tab leads itself.
 */
export class Leadership {
  readonly #ports: LeadershipPorts
  #isVisible = false
  /** `resting`: it could lead, and waits for a tab that is looked at. */
  #state: 'out' | 'waiting' | 'resting' | 'leading' = 'out'
  #left = new AbortController()
  #cancelTimer: () => void = () => {}

  constructor(ports: LeadershipPorts) {
    this.#ports = ports
  }

  /** Leads as soon as it may. */
  take(isVisible: boolean): void {
    if (this.#state !== 'out') return
    this.#isVisible = isVisible
    this.#queue()
  }

  drop(): void {
    this.#cancelTimer()
    this.#left.abort()
    this.#state = 'out'
  }

  /** The visitor came to this tab, or left it. */
  see(isVisible: boolean): void {
    if (this.#state === 'out' || this.#isVisible === isVisible) return
    this.#isVisible = isVisible
    if (this.#state === 'waiting') {
      this.drop()
      this.#queue()
    } else if (this.#state === 'resting') this.#lead()
    else {
      this.#cancelTimer()
      if (!isVisible) this.#later(lastingMs, () => this.#ports.tell({ type: 'offer' }))
    }
  }

  hear(message: LeadMessage): void {
    const { tell, leave } = this.#ports
    if (message.type === 'offer') {
      if (this.#isVisible && this.#state === 'waiting') tell({ type: 'claim', isLasting: true })
      return
    }
    if (this.#isVisible || (this.#state !== 'resting' && !(this.#state === 'leading' && message.isLasting))) return
    const hasLed = this.#state === 'leading'
    this.drop()
    if (hasLed) leave()
    this.#queue()
  }

  #queue(): void {
    const { locks, base, tell } = this.#ports
    this.#state = 'waiting'
    if (locks === undefined) {
      this.#lead()
      return
    }
    const left = new AbortController()
    this.#left = left
    const held = new Promise<void>((resolve) => left.signal.addEventListener('abort', () => resolve()))
    const request = (kind: string, granted: () => Promise<void>): void => {
      locks.request(`nearhand-${kind} ${base}`, { signal: left.signal }, granted).catch((error: unknown) => {
        if (!left.signal.aborted) this.#lead() // a browser that refuses locks here, as in an opaque origin
        else if (!(error instanceof DOMException)) throw error
      })
    }
    const queue = (taken: () => void): void =>
      request('leader', () => {
        taken()
        if (!left.signal.aborted) this.#taken()
        return held
      })
    if (!this.#isVisible) {
      // One of the hidden tabs at a time, or a visible one would wait for each of them in turn.
      request('spare', () => Promise.race([held, new Promise<void>(queue)]))
      return
    }
    queue(() => {})
    tell({ type: 'claim', isLasting: false })
    this.#later(lastingMs, () => tell({ type: 'claim', isLasting: true }))
  }

  #taken(): void {
    if (this.#isVisible) {
      this.#lead()
      return
    }
    this.#state = 'resting'
    this.#ports.tell({ type: 'offer' })
    this.#later(restMs, () => this.#lead())
  }

  #lead(): void {
    this.#cancelTimer()
    this.#state = 'leading'
    this.#ports.lead()
  }

  #later(delayMs: number, action: () => void): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#ports.clock.after(delayMs, action)
  }
}
