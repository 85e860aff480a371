import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Which connections of a server are in the middle of a response. Node's own `closeIdleConnections` leaves those open
 * that never sent a request, and browsers open such ones ahead of need.
 */
export class Connections {
  readonly #responses = new Map<Socket, number>()
  readonly #sockets = new Set<Socket>()
  #isEnding = false

  constructor(server: Server) {
    server.on('connection', (socket) => {
      this.#responses.set(socket, 0)
      this.#sockets.add(socket)
      socket.on('close', () => {
        this.#responses.delete(socket)
        this.#sockets.delete(socket)
      })
    })
    server.on('request', ({ socket }, response) => {
      this.#count(socket, 1)
      response.on('close', () => this.#count(socket, -1))
    })
    // From here on the connection is that of another protocol, which has its own way to end.
    server.on('upgrade', ({ socket }) => this.#responses.delete(socket))
  }

  /** Closes each connection as soon as its responses are over. */
  end(): void {
    this.#isEnding = true
    for (const socket of this.#responses.keys()) this.#count(socket, 0)
  }

  /** Closes every connection, those of other protocols too, which Node's own `closeAllConnections` leaves open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #count(socket: Socket, change: number): void {
    const responses = this.#responses.get(socket)
    if (responses === undefined) return
    this.#responses.set(socket, responses + change)
    if (this.#isEnding && responses + change === 0) socket.destroySoon()
  }
}
