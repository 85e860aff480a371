import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'

/** What is asked of a Node server, be it for http, https or http2. */
export interface UpgradeServer {
  on(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, rest: Buffer) => void): unknown
  off(event: 'upgrade', listener: (request: IncomingMessage, socket: Duplex, rest: Buffer) => void): unknown
  listenerCount(event: 'upgrade'): number
  emit(event: 'connection' | 'secureConnection', socket: Duplex): boolean
}

/** Whether a request asks for a WebSocket, and not for another protocol, such as HTTP/2. */
export function isWebSocketRequest({ headers }: IncomingMessage): boolean {
  return (headers.upgrade ?? '').split(',').some((protocol) => protocol.trim().toLowerCase() === 'websocket')
}

/** Answers an upgrade with a plain response, and ends the connection. */
export function refuseUpgrade(socket: Duplex, status: string): void {
  socket.on('error', () => undefined)
  socket.on('timeout', () => socket.destroy())
  // Bytes that nobody reads would turn the end into a reset, and the visitor might not see the answer.
  socket.resume()
  // Without destroy() the socket would stay for as long as the other side keeps its half open.
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
}

/**
 * Has a request answered as if it had not asked for another protocol: a server that does not know the protocol
 * ignores the wish (RFC 9110 section 7.8), but Node leaves all of it to whoever listens for upgrades. The request
 * goes through the server once more, without the wish.
 */
export function ignoreUpgrade(server: UpgradeServer, request: IncomingMessage, socket: Duplex, rest: Buffer): void {
  const { method = 'GET', url = '/', httpVersion, rawHeaders } = request
  const head = [`${method} ${url} HTTP/${httpVersion}`, 'Connection: close']
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? ''
    if (!/^(?:connection|upgrade)$/i.test(name)) head.push(`${name}: ${rawHeaders[at + 1]}`)
  }
  socket.unshift(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), rest]))
  server.emit(socket instanceof TLSSocket ? 'secureConnection' : 'connection', socket)
}
