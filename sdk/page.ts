import type { Clock } from './clock.ts'
import { createSystemClock } from './clock.ts'
import type { LineView } from './consent.ts'
import type { Locks } from './leader.ts'
import type { Memory } from './memory.ts'
import { createMemory } from './memory.ts'
import { registerWorker } from './register.ts'

/** What of the browser's page is used. */
export interface Page {
  readonly url: string
  readonly clock: Clock
  /** For all tabs. */
  readonly memory: Memory
  /** For this tab, as long as it is open. */
  readonly tabMemory: Memory
  /** Milliseconds that go on from page to page. */
  readonly date: () => number
  readonly locks: Locks | undefined
  /** Undefined where the browser has none, or the page is not a secure context. */
  readonly serviceWorkers: ServiceWorkerContainer | undefined
  /** Registers the service worker; resolves when one is active. */
  readonly register: (url: string, scope: string) => Promise<void>
  readonly hasWebRtc: boolean
  /** https://w3c.github.io/gpc/ */
  readonly hasPrivacyControl: boolean
  readonly line: LineView | undefined
  readonly events: PageEvents
}

export interface PageEvents {
  /** The page is left, for good or into the back/forward cache. */
  hidden(action: () => void): void
  /** It came back from there. */
  shown(action: () => void): void
  /** Another tab changed what is remembered. */
  remembered(action: () => void): void
  lineChanged(action: () => void): void
}

/** @param base the site's folder on its host */
export function createPage(base: string): Page {
  const navigatorOf: object = navigator
  const connection: unknown = Reflect.get(navigatorOf, 'connection')
  return {
    url: location.href,
    clock: createSystemClock(),
    memory: createMemory([() => localStorage, () => sessionStorage], base),
    tabMemory: createMemory([() => sessionStorage], base),
    date: Date.now,
    locks: 'locks' in navigatorOf ? navigator.locks : undefined,
    serviceWorkers: isSecureContext && 'serviceWorker' in navigatorOf ? navigator.serviceWorker : undefined,
    register: registerWorker,
    hasWebRtc: 'RTCPeerConnection' in globalThis,
    hasPrivacyControl: Reflect.get(navigatorOf, 'globalPrivacyControl') === true,
    get line() {
      return lineOf(connection)
    },
    events: {
      hidden: (action) => addEventListener('pagehide', action),
      shown: (action) => addEventListener('pageshow', (event) => event.persisted && action()),
      remembered: (action) => addEventListener('storage', action),
      lineChanged(action) {
        if (connection instanceof EventTarget) connection.addEventListener('change', action)
      },
    },
  }
}

function lineOf(connection: unknown): LineView | undefined {
  if (!(connection instanceof EventTarget)) return undefined
  const type: unknown = Reflect.get(connection, 'type')
  return {
    saveData: Reflect.get(connection, 'saveData') === true,
    type: typeof type === 'string' ? type : undefined,
  }
}
