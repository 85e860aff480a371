/// <reference lib="dom" />
import { channelOf } from './channel.ts'
import { createSystemClock } from './clock.ts'
import type { ExchangeToPage } from './exchange-messages.ts'
import { exchangeGlobal, parsePageToExchange } from './exchange-messages.ts'
import { Exchange } from './exchange.ts'
import { createStoreReader } from './store-reader.ts'

/** Makes an exchange that tells the page by `post`, and returns how to tell it something. */
export type CreateExchange = (post: (message: ExchangeToPage) => void) => (message: unknown) => void

const createExchange: CreateExchange = (post) => {
  const exchange = new Exchange({
    clock: createSystemClock(),
    random: Math.random,
    store: createStoreReader(),
    channelOf,
    post,
  })
  post({ type: 'started' })
  return (message) => exchange.receive(parsePageToExchange(message))
}

if (typeof document === 'undefined') {
  const receive = createExchange((message) => self.postMessage(message))
  self.addEventListener('message', (event: MessageEvent<unknown>) => receive(event.data))
} else {
  // Evaluated in a page whose browser cannot transfer data channels: it starts nothing by itself.
  Reflect.set(globalThis, exchangeGlobal, createExchange)
}
