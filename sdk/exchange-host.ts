import type { ExchangeToPage, PageToExchange } from './exchange-messages.ts'
import { exchangeGlobal, parseExchangeToPage } from './exchange-messages.ts'

/** Where the exchange runs. */
export interface ExchangeHost {
  post(message: PageToExchange, transfer?: Transferable[]): void
  close(): void
}

export interface ExchangeEvents {
  received(message: ExchangeToPage): void
  failed(error: unknown): void
}

/** Starts the exchange in a dedicated worker, or in the page where that cannot be or cannot take channels. */
export async function startExchange(workerUrl: string, events: ExchangeEvents): Promise<ExchangeHost> {
  return (canTransferChannels() && (await startInWorker(workerUrl, events))) || startInPage(workerUrl, events)
}

/**
 * Tried on a channel that is never used: asked by a real one it would be too late for that peer.
 * https://w3c.github.io/webrtc-extensions/#rtcdatachannel-extensions
 */
function canTransferChannels(): boolean {
  const connection = new RTCPeerConnection()
  const { port1, port2 } = new MessageChannel()
  try {
    const channel = connection.createDataChannel('')
    port1.postMessage(channel, [channel])
    return true
  } catch {
    return false // DataCloneError
  } finally {
    port1.close()
    port2.close()
    connection.close()
  }
}

/** Undefined where the worker does not start: the page's policy or the network forbids it. */
async function startInWorker(workerUrl: string, events: ExchangeEvents): Promise<ExchangeHost | undefined> {
  let worker: Worker
  try {
    worker = new Worker(workerUrl, { name: 'nearhand' })
  } catch {
    return undefined
  }
  const hasStarted = await new Promise<boolean>((resolve) => {
    worker.onerror = () => resolve(false)
    worker.onmessage = () => resolve(true)
  })
  if (!hasStarted) {
    worker.terminate()
    return undefined
  }
  worker.onmessage = (event: MessageEvent<unknown>) => events.received(parseExchangeToPage(event.data))
  worker.onerror = (event) => events.failed(new Error(`Cannot run the exchange: ${event.message}`))
  return {
    post: (message, transfer = []) => worker.postMessage(message, transfer),
    close: () => worker.terminate(),
  }
}

async function startInPage(workerUrl: string, events: ExchangeEvents): Promise<ExchangeHost> {
  if (typeof Reflect.get(globalThis, exchangeGlobal) !== 'function') await loadScript(workerUrl)
  const create: unknown = Reflect.get(globalThis, exchangeGlobal)
  if (typeof create !== 'function') throw new Error('Cannot start the exchange: the worker file is not ours')
  const receive: unknown = create((message: unknown) => events.received(parseExchangeToPage(message)))
  if (typeof receive !== 'function') throw new Error('Cannot start the exchange: the worker file is not ours')
  const post = (message: PageToExchange): void => {
    receive(message)
  }
  return { post, close: () => post({ type: 'stop' }) }
}

function loadScript(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = url
    script.onload = () => resolve()
    script.onerror = () => reject(new Error('Cannot start the exchange: the worker file did not load'))
    document.head.append(script)
  })
}
