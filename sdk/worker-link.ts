import type { PageToWorker, TrafficTotals } from '../protocol/bridge.ts'
import { bridgeVersion, parseTotals } from '../protocol/bridge.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { Clock } from './clock.ts'

const answerMs = 2000

/** Asks the service worker something that it answers on a port; undefined where it says nothing in time. */
function askWorker(worker: ServiceWorker, message: PageToWorker, clock: Clock): Promise<unknown> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    const done = (value: unknown): void => {
      cancel()
      port2.close()
      resolve(value)
    }
    const cancel = clock.after(answerMs, () => done(undefined))
    port2.onmessage = (event: MessageEvent<unknown>) => done(event.data)
    worker.postMessage(message, [port1])
  })
}

export async function askTotals(worker: ServiceWorker, clock: Clock): Promise<TrafficTotals | undefined> {
  const answer = await askWorker(worker, { type: 'nearhand:stats' }, clock)
  try {
    return answer === undefined ? undefined : parseTotals(answer)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined // a worker of another deploy
    throw error
  }
}

/** Lets the service worker answer everything plainly and drop its store; resolves when it did, or did not answer. */
export async function askDisable(worker: ServiceWorker, clock: Clock): Promise<void> {
  await askWorker(worker, { type: 'nearhand:disable' }, clock)
}

/** Brokers the port between the service worker and the exchange, which cannot reach each other. */
export class WorkerLink {
  readonly #clock: Clock
  readonly #worker: () => ServiceWorker | undefined
  readonly #give: (port: MessagePort) => void
  readonly #linked: () => void
  #round = 0

  /**
   * @param worker the service worker as it is now
   * @param give takes the exchange's end
   * @param linked called when the worker has its end
   */
  constructor(
    clock: Clock,
    worker: () => ServiceWorker | undefined,
    give: (port: MessagePort) => void,
    linked: () => void,
  ) {
    this.#clock = clock
    this.#worker = worker
    this.#give = give
    this.#linked = linked
  }

  /** Makes a new port; the one before is done with. */
  async link(): Promise<void> {
    const worker = this.#worker()
    if (worker === undefined) return
    this.#round += 1
    const round = this.#round
    const { port1, port2 } = new MessageChannel()
    this.#post(worker, { type: 'nearhand:link', version: bridgeVersion }, [port1])
    this.#give(port2)
    // Messages keep their order, so an answer to a later question says that the link has arrived.
    const totals = await askTotals(worker, this.#clock)
    if (totals !== undefined && round === this.#round) this.#linked()
  }

  unlink(): void {
    this.#round += 1
    const worker = this.#worker()
    if (worker) this.#post(worker, { type: 'nearhand:unlink' }, [])
  }

  #post(worker: ServiceWorker, message: PageToWorker, transfer: Transferable[]): void {
    worker.postMessage(message, transfer)
  }
}
