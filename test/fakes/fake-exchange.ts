import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import type { ExchangePort } from '../../sw/page-bridge.ts'

/** Answers a message of the service worker; undefined: stays silent. */
export type ExchangeScript = (message: WorkerToExchange) => ExchangeToWorker | undefined | Promise<ExchangeToWorker>

/** The exchange's end of the conversation, with a script instead of peers. */
export class FakeExchange implements ExchangePort {
  readonly heard: WorkerToExchange[] = []
  isClosed = false
  script: ExchangeScript
  #hear: (message: unknown) => void = () => {}

  constructor(script: ExchangeScript = () => undefined) {
    this.script = script
  }

  listen(hear: (message: unknown) => void): void {
    this.#hear = hear
  }

  post(message: WorkerToExchange): void {
    this.heard.push(message)
    void Promise.resolve(this.script(message)).then((answer) => answer && this.say(answer))
  }

  close(): void {
    this.isClosed = true
  }

  /** Says something unasked. */
  say(message: unknown): void {
    this.#hear(message)
  }

  /** What it was asked of one kind. */
  asked<Type extends WorkerToExchange['type']>(type: Type): Extract<WorkerToExchange, { type: Type }>[] {
    return this.heard.filter((message): message is Extract<WorkerToExchange, { type: Type }> => message.type === type)
  }
}
