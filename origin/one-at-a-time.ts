import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { requestsPerConnection } from '../protocol/limits.ts'

interface Line {
  waiting: number
  last: Promise<void>
}

/**
 * Answers the requests of each connection one after another. Node hands all of them out as they come: a visitor who
 * sends thousands without reading an answer would have as many files opened and read ahead, and Node tells nobody
 * about those whose turn had not come when the connection ends.
 */
export function oneAtATime(answer: (request: IncomingMessage, response: ServerResponse) => void): RequestListener {
  const lines = new WeakMap<Socket, Line>()
  return (request, response) => {
    const { socket } = request
    const line = lines.get(socket) ?? { waiting: 0, last: Promise.resolve() }
    lines.set(socket, line)
    // No browser sends more than one. A client that does asks again for what was not answered (RFC 9112 section 9.3.2).
    if (line.waiting >= requestsPerConnection) return void socket.destroy()
    line.waiting += 1
    line.last = line.last.then(async () => {
      line.waiting -= 1
      // A response has no socket where the one before was the last, and will never have one.
      if (!response.socket?.writable) return
      const over = new Promise<void>((resolve) => void response.once('close', resolve))
      answer(request, response)
      await over
    })
  }
}
