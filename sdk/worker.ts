/// <reference lib="dom" />
import { ProtocolError } from '../protocol/errors.ts'
import { channelOf } from './channel.ts'
import { createSystemClock, guardClock } from './clock.ts'
import type { ExchangeToPage } from './exchange-messages.ts'
import { exchangeBase, exchangeGlobal, parsePageToExchange } from './exchange-messages.ts'
import { Exchange } from './exchange.ts'
import { createStoreReader } from './store-reader.ts'

/**
 * Makes an exchange for the site in this folder that tells the page by `post`, and returns how to tell it something. What it throws goes to
 * `failed`, and so not to the `onerror` of the site whose page it may run in.
 */
export type CreateExchange = (
  post: (message: ExchangeToPage) => void,
  base: string,
  failed?: (error: unknown) => void,
) => (message: unknown) => void

const createExchange: CreateExchange = (post, base, failed = (error) => reportError(error)) => {
  const exchange = new Exchange({
    clock: guardClock(createSystemClock(), failed),
    random: Math.random,
    store: createStoreReader(base),
    channelOf: (channel) => channelOf(channel, failed),
    post,
    failed,
  })
  post({ type: 'started' })
  return (message) => {
    try {
      exchange.receive(parsePageToExchange(message))
    } catch (error) {
      // A page of another build may say more than this one knows.
      if (!(error instanceof ProtocolError)) failed(error)
    }
  }
}

if (typeof document === 'undefined') {
  const receive = createExchange((message) => self.postMessage(message), exchangeBase(self.name))
  self.addEventListener('message', (event: MessageEvent<unknown>) => receive(event.data))
  self.addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    reportError(event.reason)
  })
} else {
  // Evaluated in a page whose browser cannot transfer data channels: it starts nothing by itself.
  Reflect.set(globalThis, exchangeGlobal, createExchange)
}
