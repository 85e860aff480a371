import type { Socket, SocketEvents } from './tracker-client.ts'

/** A tracker has no more to say before it was told who joins. */
const textsKept = 4

/** A socket that is opened before anybody knows what to say to it. What it says until then is kept. */
export class EarlySocket {
  readonly #open: (events: SocketEvents) => Socket
  readonly #texts: string[] = []
  readonly #socket: Socket
  #events: SocketEvents | undefined
  #isOpen = false
  #isClosed = false

  constructor(open: (events: SocketEvents) => Socket) {
    this.#open = open
    this.#socket = open({
      opened: () => {
        this.#isOpen = true
        this.#events?.opened()
      },
      received: (text) => {
        if (this.#events) this.#events.received(text)
        else if (this.#texts.push(text) > textsKept) this.close()
      },
      closed: () => {
        this.#isClosed = true
        this.#events?.closed()
      },
    })
  }

  /** Hands it over, and with each later call, or where it is closed already, opens another. */
  take(events: SocketEvents): Socket {
    if (this.#events || this.#isClosed) return this.#open(events)
    this.#events = events
    // Not before the one who takes it knows it.
    queueMicrotask(() => {
      if (this.#isOpen) events.opened()
      for (const text of this.#texts.splice(0)) events.received(text)
    })
    return this.#socket
  }

  /** Closes it where nobody took it. */
  close(): void {
    if (!this.#events) this.#socket.close()
  }
}
