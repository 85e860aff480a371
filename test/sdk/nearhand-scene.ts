import { afterEach, vi } from 'vitest'
import type { Circumstances } from '../../sdk/circumstances.ts'
import { Nearhand } from '../../sdk/nearhand.ts'
import type { NearhandOptions } from '../../sdk/options.ts'
import { resolveOptions } from '../../sdk/options.ts'
import type { Page } from '../../sdk/page.ts'
import type { PeeringStatus } from '../../sdk/peering.ts'
import type { CreatePeering } from '../../sdk/peers.ts'
import { createPeering } from '../../sdk/peers.ts'
import { FakeClock } from '../fakes/clock.ts'
import { MapMemory } from '../fakes/map-memory.ts'

/** Closed after each test. */
export const channels: BroadcastChannel[] = []
const shown: (() => void)[] = []
afterEach(() => {
  vi.restoreAllMocks()
  for (const hide of shown.splice(0)) hide()
  for (const channel of channels.splice(0)) channel.close()
})

export const status: PeeringStatus = {
  isLinked: true,
  peers: [{ id: 'b', roundTripMs: undefined, bytesPerSecond: 0, receivedBytes: 0, sentBytes: 0 }],
  bannedPeers: 1,
}

/** A browser with a service worker that does nothing, and another tab that holds the connections. */
export interface SceneOptions extends NearhandOptions {
  readonly query?: string
  readonly register?: () => Promise<void>
  readonly isSecure?: boolean
  readonly hasWebRtc?: boolean
  readonly hasPrivacyControl?: boolean
  readonly circumstances?: Circumstances
  readonly prefetchUrls?: readonly string[]
  /** Of the visitor whom the prompt asks, or its file does not load. */
  readonly answers?: (boolean | undefined)[] | 'no file'
  /** Takes the place of the file that connects; it fails in Node, which has no RTCPeerConnection. */
  readonly loadPeers?: (url: string) => Promise<{ readonly createPeering: CreatePeering }>
  readonly tabMemory?: MapMemory
  /** What the worker answers to what is asked of it. */
  readonly answer?: (type: string) => unknown
}

export function scene(options: SceneOptions = {}) {
  const { query = '', register = () => Promise.resolve(), answer = () => true, ...more } = options
  const {
    isSecure = true,
    hasWebRtc = true,
    hasPrivacyControl = false,
    circumstances = {},
    answers = [],
    prefetchUrls = [],
    loadPeers = () => Promise.resolve({ createPeering }),
    tabMemory = new MapMemory(),
    ...site
  } = more
  const asked: string[] = []
  const url = `https://site.example/${query}`
  const memory = new MapMemory()
  const actions: Record<string, () => void> = {}
  const happened: string[] = []
  const registration = {
    scope: 'https://site.example/',
    active: {
      postMessage(message: { type: string }, [port]: MessagePort[] = []) {
        happened.push(message.type)
        port?.postMessage(answer(message.type))
      },
    },
    unregister: () => Promise.resolve(happened.push('unregistered')),
  }
  const container = Object.assign(new EventTarget(), {
    controller: registration.active,
    getRegistration: () => Promise.resolve(registration),
  })
  const clock = new FakeClock()
  const page: Page = {
    url,
    clock,
    memory,
    tabMemory,
    date: () => 1_000_000_000_000,
    locks: undefined,
    serviceWorkers: isSecure ? (container as unknown as ServiceWorkerContainer) : undefined,
    register: () => {
      happened.push('registered')
      return register()
    },
    isVisible: true,
    prefetchUrls,
    persistence: undefined,
    whenIdle: (action) => action(),
    hasWebRtc,
    hasPrivacyControl,
    circumstances,
    loadPrompt(url) {
      if (answers === 'no file') return Promise.reject(new TypeError('not found'))
      return Promise.resolve({
        askConsent(asking, isWished) {
          asked.push(`${isWished ? 'wished' : 'unwished'} ${url}`)
          const answer = answers.shift()
          if (answer !== undefined) asking.consent(answer)
          return Promise.resolve()
        },
      })
    },
    loadPeers,
    events: {
      hidden: (action) => (actions['hidden'] = action),
      shown: (action) => (actions['shown'] = action),
      seen: (action) => (actions['seen'] = action),
      remembered: (action) => (actions['remembered'] = action),
      changed: (action) => (actions['changed'] = action),
    },
  }
  const nearhand = new Nearhand(page, resolveOptions(site, url))
  const states: string[] = []
  nearhand.addEventListener('state', ({ detail }) => states.push(detail))
  shown.push(() => actions['hidden']?.())
  const otherTab = new BroadcastChannel('nearhand-tabs /')
  channels.push(otherTab)
  return { nearhand, happened, asked, states, memory, actions, clock, container, otherTab }
}
