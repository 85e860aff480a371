import type { Circumstances } from './circumstances.ts'
import { watchCircumstances } from './circumstances.ts'
import type { Clock } from './clock.ts'
import { createSystemClock } from './clock.ts'
import type { Locks } from './leadership.ts'
import type { Memory } from './memory.ts'
import { createMemory } from './memory.ts'
import type { CreatePeering } from './peers.ts'
import type { Persistence } from './persist.ts'
import { findPersistence } from './persist.ts'
import type { PrefetchPage } from './prefetch.ts'
import type { AskConsent } from './prompt.ts'
import { registerWorker } from './register.ts'

/** What of the browser's page is used. */
export interface Page extends PrefetchPage {
  readonly url: string
  readonly clock: Clock
  /** For all tabs. */
  readonly memory: Memory
  /** For this tab, as long as it is open. */
  readonly tabMemory: Memory
  /** Milliseconds since 1970. */
  readonly date: () => number
  readonly locks: Locks | undefined
  /** Undefined where the browser has none, or the page is not a secure context. */
  readonly serviceWorkers: ServiceWorkerContainer | undefined
  /** Registers the service worker; resolves when one is active. */
  readonly register: (url: string, scope: string) => Promise<void>
  /** Whether the visitor can see it now. */
  readonly isVisible: boolean
  readonly hasWebRtc: boolean
  /** https://w3c.github.io/gpc/ */
  readonly hasPrivacyControl: boolean
  readonly circumstances: Circumstances
  /** The module of the prompt's file. */
  readonly loadPrompt: (url: string) => Promise<{ readonly askConsent: AskConsent }>
  /** The module that connects to others. */
  readonly loadPeers: (url: string) => Promise<{ readonly createPeering: CreatePeering }>
  readonly persistence: Persistence | undefined
  readonly events: PageEvents
}

export interface PageEvents {
  /** The page is left, for good or into the back/forward cache. */
  hidden(action: () => void): void
  /** It came back from there. */
  shown(action: () => void): void
  /** The visitor came to this tab, or left it. */
  seen(action: () => void): void
  /** Another tab changed what is remembered. */
  remembered(action: () => void): void
  /** The circumstances are others. */
  changed(action: () => void): void
}

/** @param base the site's folder on its host */
export function createPage(base: string): Page {
  const navigatorOf: object = navigator
  const clock = createSystemClock()
  const circumstances = watchCircumstances(clock)
  return {
    url: location.href,
    clock,
    memory: createMemory([() => localStorage, () => sessionStorage], base),
    tabMemory: createMemory([() => sessionStorage], base),
    date: Date.now,
    locks: 'locks' in navigatorOf ? navigator.locks : undefined,
    serviceWorkers: isSecureContext && 'serviceWorker' in navigatorOf ? navigator.serviceWorker : undefined,
    register: registerWorker,
    get isVisible() {
      return document.visibilityState === 'visible'
    },
    hasWebRtc: 'RTCPeerConnection' in globalThis,
    hasPrivacyControl: Reflect.get(navigatorOf, 'globalPrivacyControl') === true,
    get circumstances() {
      return circumstances.read()
    },
    get prefetchUrls() {
      const links = document.querySelectorAll<HTMLLinkElement>('link[rel~="nearhand-prefetch"]')
      return [...links].map(({ href }) => href)
    },
    whenIdle,
    persistence: isSecureContext ? findPersistence() : undefined,
    // A site's bundler is to leave these alone: they are files of the site.
    loadPrompt: (url) => import(/* webpackIgnore: true */ /* @vite-ignore */ url),
    loadPeers: (url) => import(/* webpackIgnore: true */ /* @vite-ignore */ url),
    events: {
      hidden: (action) => addEventListener('pagehide', action),
      shown: (action) => addEventListener('pageshow', (event) => event.persisted && action()),
      seen: (action) => document.addEventListener('visibilitychange', action),
      remembered: (action) => addEventListener('storage', action),
      changed: (action) => circumstances.changed(action),
    },
  }
}

const idleMs = 2000

function whenIdle(action: () => void): void {
  const idle = (): void => {
    // Safari has none (https://developer.mozilla.org/docs/Web/API/Window/requestIdleCallback).
    if ('requestIdleCallback' in globalThis) requestIdleCallback(action)
    else setTimeout(action, idleMs)
  }
  if (document.readyState === 'complete') idle()
  else addEventListener('load', idle, { once: true })
}
