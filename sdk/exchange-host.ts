import { ProtocolError } from '../protocol/errors.ts'
import type { Clock } from './clock.ts'
import { createSystemClock } from './clock.ts'
import type { ExchangeToPage, PageToExchange } from './exchange-messages.ts'
import { exchangeGlobal, exchangeName, parseExchangeToPage } from './exchange-messages.ts'

/** Where the exchange runs. */
export interface ExchangeHost {
  post(message: PageToExchange, transfer?: Transferable[]): void
  close(): void
}

export interface ExchangeEvents {
  received(message: ExchangeToPage): void
  readonly failed: (error: unknown) => void
}

/** The part of a dedicated worker that the page needs. */
export type WorkerPort = Pick<Worker, 'onmessage' | 'onerror' | 'postMessage' | 'terminate'>

const startMs = 10_000

/** Starts the exchange in a dedicated worker, or in the page where that cannot be or cannot take channels. */
export async function startExchange(workerUrl: string, base: string, events: ExchangeEvents): Promise<ExchangeHost> {
  const clock = createSystemClock()
  const worker = canTransferChannels() ? createWorker(workerUrl, base) : undefined
  return (worker && (await startInWorker(worker, events, clock))) || startInPage(workerUrl, base, events, clock)
}

/**
 * Tried on a channel that is never used: asked by a real one it would be too late for that peer.
 * https://w3c.github.io/webrtc-extensions/#rtcdatachannel-extensions
 */
function canTransferChannels(): boolean {
  const { port1, port2 } = new MessageChannel()
  let connection: RTCPeerConnection | undefined
  try {
    connection = new RTCPeerConnection()
    const channel = connection.createDataChannel('')
    port1.postMessage(channel, [channel])
    return true
  } catch {
    return false // DataCloneError, or a page that has too many connections
  } finally {
    port1.close()
    port2.close()
    connection?.close()
  }
}

function createWorker(url: string, base: string): Worker | undefined {
  try {
    return new Worker(url, { name: exchangeName(base) })
  } catch {
    return undefined
  }
}

/**
 * Undefined where the worker does not load: the page's policy or the network forbids it. What it throws is told here
 * and nowhere else: an error of ours is none of the site's.
 */
export async function startInWorker(
  worker: WorkerPort,
  events: ExchangeEvents,
  clock: Clock,
): Promise<ExchangeHost | undefined> {
  let cancel = (): void => {}
  const started = await new Promise<true | Error | undefined>((resolve) => {
    cancel = clock.after(startMs, () => resolve(new Error('Cannot start the exchange: its worker says nothing')))
    worker.onmessage = () => resolve(true)
    worker.onerror = (event) => {
      event.preventDefault()
      // It loaded and threw: in the page it would throw again. A file that does not load has no line.
      resolve(event.lineno > 0 ? new Error(`Cannot start the exchange: ${event.message}`) : undefined)
    }
  })
  cancel()
  if (started !== true) {
    worker.terminate()
    if (started) throw started
    return undefined
  }
  const receive = receiver(events)
  worker.onmessage = (event: MessageEvent<unknown>) => receive(event.data)
  worker.onerror = (event) => {
    event.preventDefault()
    events.failed(new Error(`Cannot run the exchange: ${event.message}`))
  }
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    close: () => worker.terminate(),
  }
}

async function startInPage(
  workerUrl: string,
  base: string,
  events: ExchangeEvents,
  clock: Clock,
): Promise<ExchangeHost> {
  if (typeof Reflect.get(globalThis, exchangeGlobal) !== 'function') await loadScript(workerUrl, clock)
  const create: unknown = Reflect.get(globalThis, exchangeGlobal)
  if (typeof create !== 'function') throw new Error('Cannot start the exchange: the worker file is not ours')
  const receive: unknown = create(receiver(events), base, events.failed)
  if (typeof receive !== 'function') throw new Error('Cannot start the exchange: the worker file is not ours')
  const post = (message: PageToExchange): void => {
    receive(message)
  }
  return { post, close: () => post({ type: 'stop' }) }
}

/** Nothing thrown leaves it. What another build says beyond this one is skipped. */
function receiver(events: ExchangeEvents): (value: unknown) => void {
  return (value) => {
    try {
      events.received(parseExchangeToPage(value))
    } catch (error) {
      if (!(error instanceof ProtocolError)) events.failed(error)
    }
  }
}

function loadScript(url: string, clock: Clock): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('Cannot start the exchange: the worker file did not load'))
    const script = document.createElement('script')
    script.src = url
    script.onload = () => resolve()
    script.onerror = fail
    document.head.append(script)
    clock.after(startMs, fail)
  })
}
