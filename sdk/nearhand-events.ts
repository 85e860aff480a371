import type { TrafficMessage, WorkerStats } from '../protocol/bridge.ts'
import type { ConsentState } from './consent.ts'
import type { PeerView } from './exchange-messages.ts'

/**
 * `starting`: the worker is not active yet. `active`: it answers, on pages that it controls. `off`: switched off, or
 * stopped after an error of ours. `unsupported`: the browser cannot, or the page (on http, outside of the site's base).
 */
export type NearhandState = 'starting' | 'active' | 'off' | 'unsupported'

/** What the worker did on this device and site since it was installed, and the peers of now. */
export interface NearhandStats extends WorkerStats {
  /** Bytes given to others today (UTC), by all pages of the site on this device. */
  readonly uploadedBytes: number
  /** Peers that sent wrong bytes or broke the protocol, since the tab that holds the connections was opened. */
  readonly bannedPeers: number
  readonly peers: readonly PeerView[]
}

export interface NearhandEvents {
  /** Where the bytes of an asset came from. */
  traffic: CustomEvent<TrafficMessage>
  /** At most about twice a second, and only on change. */
  peers: CustomEvent<readonly PeerView[]>
  state: CustomEvent<NearhandState>
  /** Another word on being connected to others holds: said here or in another tab. */
  consent: CustomEvent<ConsentState>
}

/** The target of these events, with their types. */
export class NearhandEventTarget extends EventTarget {
  override addEventListener<Type extends keyof NearhandEvents>(
    type: Type,
    listener: ((event: NearhandEvents[Type]) => void) | null,
    options?: AddEventListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void
  override addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: AddEventListenerOptions | boolean,
  ): void {
    super.addEventListener(type, listener, options)
  }
}
