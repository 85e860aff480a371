import type { PageToWorker, WorkerStats } from '../protocol/bridge.ts'
import { bridgeVersion, parseStats } from '../protocol/bridge.ts'
import { ProtocolError } from '../protocol/errors.ts'
import type { Clock } from './clock.ts'

const answerMs = 2000
const linkAnswerMs = 10_000
const longestLinkAnswerMs = 80_000

/** Asks the service worker something that it answers on a port; undefined where it says nothing in time. */
export function askWorker(
  worker: ServiceWorker,
  type: 'nearhand:stats' | 'nearhand:ready' | 'nearhand:disable' | 'nearhand:enable',
  clock: Clock,
  waitMs: number = answerMs,
): Promise<unknown> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    const done = (value: unknown): void => {
      cancel()
      port2.close()
      resolve(value)
    }
    const cancel = clock.after(waitMs, () => done(undefined))
    port2.onmessage = (event: MessageEvent<unknown>) => done(event.data)
    worker.postMessage({ type } satisfies PageToWorker, [port1])
  })
}

export async function askStats(worker: ServiceWorker, clock: Clock): Promise<WorkerStats | undefined> {
  return readStats(await askWorker(worker, 'nearhand:stats', clock))
}

function readStats(answer: unknown): WorkerStats | undefined {
  try {
    return answer === undefined ? undefined : parseStats(answer)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined // a worker of another deploy
    throw error
  }
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

  /**
   * Makes a new port, and another one where the worker says nothing for long; the one before is done with.
   * @param lock free when this tab is gone
   */
  async link(lock?: string): Promise<void> {
    this.#round += 1
    const round = this.#round
    for (let waitMs = linkAnswerMs; round === this.#round; waitMs = Math.min(waitMs * 2, longestLinkAnswerMs)) {
      const worker = this.#worker()
      if (worker === undefined) return
      const { port1, port2 } = new MessageChannel()
      this.#post(worker, { type: 'nearhand:link', version: bridgeVersion, lock }, [port1])
      this.#give(port2)
      // Messages keep their order, so an answer to a later question says that the link has arrived.
      const answer = await askWorker(worker, 'nearhand:stats', this.#clock, waitMs)
      if (answer === undefined) continue
      if (round === this.#round && readStats(answer)) this.#linked()
      return
    }
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
