import type { WorkerStats } from '../protocol/bridge.ts'
import { parseTraffic, parseWorkerToPage, trafficChannelName } from '../protocol/bridge.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { Clock } from './clock.ts'
import { guardClock } from './clock.ts'
import type { ConsentState, ConsentTexts } from './consent.ts'
import { decideConsent } from './consent.ts'
import type { PeerView } from './exchange-messages.ts'
import { InstalledWorker } from './installed-worker.ts'
import type { NearhandState, NearhandStats } from './nearhand-events.ts'
import { NearhandEventTarget } from './nearhand-events.ts'
import type { Settings } from './options.ts'
import type { Page } from './page.ts'
import { persistStore } from './persist.ts'
import { Prefetch } from './prefetch.ts'
import { TabRole } from './tab-role.ts'
import { Wakes } from './wakes.ts'

const noStats: WorkerStats = {
  bytes: { store: 0, peers: 0, origin: 0 },
  duplicateBytes: 0,
  prefetchedBytes: { peers: 0, origin: 0 },
  requests: 0,
  fallbacks: 0,
  badChunks: 0,
  failures: 0,
  isSpent: false,
}
const peersEventMs = 500

/**
 * Nearhand on one page. Nothing that goes wrong in here reaches the page: the state becomes `off`, and the browser
 * loads what it loads as without us.
 */
export class Nearhand extends NearhandEventTarget {
  /** The prompt's texts, from its next showing on. */
  texts: ConsentTexts
  readonly #page: Page
  readonly #settings: Settings
  readonly #clock: Clock
  readonly #role: TabRole
  readonly #prefetch: Prefetch
  readonly #worker: InstalledWorker
  readonly #wakes = new Wakes()
  #state: NearhandState = 'starting'
  #hasStarted = false
  /** By the visitor, not by an error. */
  #isSwitchedOff = false
  #isShown = true
  /** Whether the site's operator lets this device have peers. */
  #mayPeer = true
  #toldPeers: readonly PeerView[] = []
  #traffic: BroadcastChannel | undefined
  #isTelling = false
  #hasAsked = false
  #toldConsent: ConsentState

  constructor(page: Page, settings: Settings) {
    super()
    this.#page = page
    this.#settings = settings
    this.texts = settings.texts
    this.#toldConsent = this.consentState
    const failed = (error: unknown): void => this.#fail(error)
    this.#clock = guardClock(page.clock, failed)
    this.#role = new TabRole({ page, clock: this.#clock, settings, changed: () => this.#changed() })
    this.#prefetch = new Prefetch(page, (urls) => {
      this.#worker.tell({ type: 'nearhand:prefetch', urls, mayAskOrigin: settings.prefetch === 'origin' })
    })
    this.#worker = new InstalledWorker(page, settings, this.#clock)
    if (!this.#worker.isPossible) this.#state = 'unsupported'
  }

  get state(): NearhandState {
    return this.#state
  }

  get consentState(): ConsentState {
    return decideConsent(this.#page.memory.get('consent'), this.#settings.consent, this.#isReluctant)
  }

  /** Registers the worker and goes on from there. Called once by itself, unless the option `manual` is set. */
  start(): void {
    if (this.#hasStarted || this.#state === 'unsupported') return
    this.#hasStarted = true
    this.#try(() => {
      const { memory, url } = this.#page
      const wish = new URL(url).searchParams.get('nearhand')
      if (wish === 'on') memory.set('off', undefined)
      this.#listen()
      if (wish === 'off') void this.disable()
      else if (memory.get('off') !== undefined) this.#switchOff()
      else this.#register(wish === 'on')
    })
  }

  /**
   * The visitor's own word on being connected to others, remembered for the site. False closes every connection at
   * once; the worker goes on with its store and the origin.
   */
  consent(granted: boolean): void {
    const isGranted: unknown = granted
    // Nothing but true: a form's 'false' would grant, too.
    this.#page.memory.set('consent', isGranted === true ? 'granted' : 'denied')
    this.#try(() => this.#follow())
  }

  /**
   * Shows the prompt, also to a visitor who answered before, or whose browser is not asked by itself; meant for a link
   * such as "Sharing settings". Resolves with the word that holds when it is gone. Where its file does not load, nothing
   * is asked and nothing changes.
   */
  async askConsent(): Promise<ConsentState> {
    await this.#ask(true)
    return this.consentState
  }

  /**
   * Resolves when the worker answers this page's requests and at least one peer can be asked. That may take for ever:
   * nobody else may come, or the visitor not agree.
   * @throws Error where Nearhand is or goes off, or there is no WebRTC; the signal's reason where it is aborted
   */
  async connected(options: { signal?: AbortSignal | undefined } = {}): Promise<void> {
    const { signal } = options
    while (!this.#isConnected()) {
      signal?.throwIfAborted()
      if (this.#state === 'off' || this.#state === 'unsupported') {
        throw new Error(`Cannot connect: Nearhand is ${this.#state}`)
      }
      if (!this.#page.hasWebRtc) throw new Error('Cannot connect: no WebRTC')
      await this.#wakes.next(signal)
    }
    // A worker that is still reading what the site signed would give the first requests their plain answers.
    await this.#worker.settled()
    signal?.throwIfAborted()
  }

  /** All zero where there is no worker to ask. */
  async stats(): Promise<NearhandStats> {
    const totals = (await this.#worker.stats()) ?? noStats
    const { bannedPeers, peers } = this.#role.status
    return { ...totals, uploadedBytes: this.#role.today.uploadedBytes, bannedPeers, peers }
  }

  /** Switches Nearhand off on this device, removes worker and store, and remembers it. `?nearhand=off` does the same. */
  async disable(): Promise<void> {
    this.#page.memory.set('off', '1')
    this.#switchOff()
    try {
      await this.#worker.remove()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Undoes `disable()`, in the other tabs as well. `?nearhand=on` does the same. */
  enable(): void {
    this.#page.memory.set('off', undefined)
    if (!this.#hasStarted) this.start()
    else if (this.#state === 'off') this.#register(true)
  }

  #listen(): void {
    const { events, serviceWorkers } = this.#page
    events.hidden(() => {
      this.#isShown = false
      this.#try(() => this.#release())
    })
    events.shown(() => {
      this.#isShown = true
      this.#try(() => this.#follow())
    })
    events.seen(() => this.#try(() => this.#role.see()))
    events.remembered(() => this.#try(() => this.#follow()))
    events.changed(() => {
      this.#try(() => {
        this.#follow()
        this.#role.limitUpload()
      })
    })
    serviceWorkers?.addEventListener('controllerchange', () => {
      this.#try(() => {
        this.#follow()
        this.#role.relink()
      })
    })
    serviceWorkers?.addEventListener('message', (event: MessageEvent<unknown>) => {
      this.#try(() => {
        const message = parseWorkerToPage(event.data)
        if (message?.type === 'nearhand:relink') this.#role.relink()
        if (message?.type !== 'nearhand:rule' || message.peers === this.#mayPeer) return
        this.#mayPeer = message.peers
        this.#follow()
      })
    })
  }

  #register(isAgain: boolean): void {
    this.#isSwitchedOff = false
    this.#become('starting')
    this.#bringUp(isAgain).catch((error: unknown) => this.#fail(error))
  }

  async #bringUp(isAgain: boolean): Promise<void> {
    const registering = this.#worker.register()
    // To register takes more than a second where the browser looks for a new version of the worker just then.
    if (!isAgain && this.#worker.isControlling) this.#activate()
    await registering
    // Switched off in the meantime, when there was no worker to remove yet.
    if (this.#page.memory.get('off') !== undefined) return this.disable()
    if (isAgain) await this.#worker.revive()
    this.#activate()
  }

  #activate(): void {
    if (this.#state === 'starting') {
      this.#become('active')
      const { persistence } = this.#page
      // A wish, no more: a browser that fails at it keeps the store as it keeps others.
      if (persistence) persistStore(persistence, this.#settings.isPersistent).catch(() => {})
    }
    this.#follow()
  }

  /** A browser that asks not to share, or to spare its line, is neither asked nor taken as agreed. */
  get #isReluctant(): boolean {
    const { hasPrivacyControl, circumstances } = this.#page
    return hasPrivacyControl || circumstances.saveData === true
  }

  async #ask(isWished: boolean): Promise<void> {
    this.#hasAsked = true
    try {
      const { askConsent } = await this.#page.loadPrompt(this.#settings.promptUrl)
      await askConsent(this, isWished)
    } catch (error) {
      console.warn('Nearhand cannot ask', error)
    }
  }

  /** Does what state, consent and memory say now. */
  #follow(): void {
    const consent = this.consentState
    if (consent !== this.#toldConsent) {
      this.#toldConsent = consent
      this.dispatchEvent(new CustomEvent('consent', { detail: consent }))
    }
    const isOff = this.#page.memory.get('off') !== undefined
    if (isOff && this.#state === 'active') this.#switchOff()
    if (!isOff && this.#isSwitchedOff) this.#register(true)
    if (this.#state !== 'active' || !this.#isShown) {
      this.#release()
      return
    }
    this.#traffic ??= this.#openTraffic()
    // A page that the worker does not control (a forced reload) has no use for peers, and the worker cannot reach it.
    const isControlled = this.#worker.controller !== undefined
    const { hasWebRtc } = this.#page
    const canPeer = hasWebRtc && this.#mayPeer
    this.#planPrefetch()
    this.#role.take(isControlled && consent === 'granted' && canPeer)
    const isOpen = consent === 'unknown' && this.#settings.consent === 'ask' && !this.#isReluctant
    if (isOpen && canPeer && !this.#hasAsked) void this.#ask(false)
  }

  #switchOff(): void {
    this.#isSwitchedOff = true
    this.#release()
    this.#become('off')
  }

  #release(): void {
    this.#role.release()
    this.#traffic?.close()
    this.#traffic = undefined
  }

  /** Once there is somebody to ask: a peer, or the origin where the site allows that. */
  #planPrefetch(): void {
    const { prefetch } = this.#settings
    const isControlled = this.#state === 'active' && this.#worker.controller !== undefined
    if (prefetch === 'origin' ? isControlled : prefetch === 'peers' && this.#isConnected()) this.#prefetch.plan()
  }

  #isConnected(): boolean {
    const { isLinked, peers } = this.#role.status
    return this.#worker.controller !== undefined && isLinked && peers.length > 0
  }

  #changed(): void {
    this.#planPrefetch()
    this.#wakes.wake()
    if (this.#isTelling || this.#role.status.peers === this.#toldPeers) return
    this.#isTelling = true
    this.#clock.after(peersEventMs, () => {
      this.#isTelling = false
      this.#toldPeers = this.#role.status.peers
      this.dispatchEvent(new CustomEvent('peers', { detail: this.#toldPeers }))
    })
  }

  #openTraffic(): BroadcastChannel {
    const channel = new BroadcastChannel(trafficChannelName(this.#settings.base))
    channel.onmessage = (event: MessageEvent<unknown>) => {
      this.#try(() => {
        this.dispatchEvent(new CustomEvent('traffic', { detail: parseTraffic(event.data) }))
      })
    }
    return channel
  }

  #become(state: NearhandState): void {
    if (this.#state === state) return
    this.#state = state
    this.#wakes.wake()
    this.dispatchEvent(new CustomEvent('state', { detail: state }))
  }

  /** A message of another build is skipped; anything else that is thrown switches us off. */
  #try(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (!(error instanceof ProtocolError)) this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    console.warn('Nearhand is off on this page', error)
    this.#become('off')
    try {
      this.#release()
    } catch (cause) {
      console.warn('Nearhand could not let go', cause)
    }
  }
}
