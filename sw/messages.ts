import { bridgeVersion, parsePageToWorker } from '../protocol/bridge.ts'
import type { ErrorBudget } from './error-budget.ts'
import type { Manifests } from './manifests.ts'
import type { ExchangePort, PageBridge } from './page-bridge.ts'
import type { Prefetch } from './prefetch.ts'
import type { Traffic } from './traffic.ts'

/** A port that came along with a message: answers go there, or it is the way to the exchange. */
export interface GivenPort extends ExchangePort {
  post(message: unknown): void
}

export interface MessagesOptions {
  readonly bridge: Pick<PageBridge, 'link' | 'unlink'>
  readonly traffic: Pick<Traffic, 'totals'>
  readonly budget: Pick<ErrorBudget, 'failures' | 'isSpent'>
  readonly manifests: Pick<Manifests, 'settled' | 'take' | 'trackerIs' | 'tellRule'>
  readonly prefetch: Pick<Prefetch, 'take'>
  /** Ends all that the worker does on this device. */
  readonly disable: () => Promise<void>
  /** Undoes it. */
  readonly enable: () => Promise<void>
}

/**
 * Obeys a message of a page. Messages of the site itself are not touched, and bad ones of ours are a ProtocolError.
 *
 * @param client the page that sent it
 */
export async function receiveMessage(
  message: unknown,
  port: GivenPort | undefined,
  client: string,
  { bridge, traffic, budget, manifests, prefetch, disable, enable }: MessagesOptions,
): Promise<void> {
  const parsed = parsePageToWorker(message)
  switch (parsed?.type) {
    case undefined:
      return
    case 'nearhand:link':
      if (!port || parsed.version !== bridgeVersion) return
      bridge.link(port, client, parsed.lock)
      await manifests.tellRule()
      return
    case 'nearhand:fresh':
      await manifests.take(parsed.envelope)
      return
    case 'nearhand:tracker':
      manifests.trackerIs(parsed.isReachable)
      return
    case 'nearhand:unlink':
      bridge.unlink(client)
      return
    case 'nearhand:stats':
      port?.post({ ...(await traffic.totals()), failures: budget.failures, isSpent: budget.isSpent })
      return
    case 'nearhand:ready':
      await manifests.settled()
      port?.post(true)
      return
    case 'nearhand:prefetch':
      await prefetch.take(parsed.urls, parsed.mayAskOrigin)
      return
    case 'nearhand:disable':
      await disable()
      port?.post(true)
      return
    case 'nearhand:enable':
      await enable()
      port?.post(true)
      return
  }
}
