import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { TimedQueue } from './timed-queue.ts'

/*
 * The origin's line: a TCP proxy before its local socket. All connections share one rate in each direction, every byte takes half a
 * round trip, opening a connection a whole one. Above the rate pieces wait in line; a connection has at most
 * `waitingBytes` there, as if its window were steered well. Losses and TCP's slow start are not modelled.
 */

export interface LinkShape {
  readonly bitsPerSecond: number
  readonly roundTripMs: number
}

export interface ShapedLink {
  readonly port: number
  /** May be changed at any time. */
  shape: LinkShape
  /** All bytes that went from the origin to its visitors: headers and the tracker's socket included. */
  readonly downBytes: () => number
  close(): Promise<void>
}

const pieceBytes = 16 * 1024
const waitingBytes = 32 * 1024
const unreadBytes = 256 * 1024

export async function openShapedLink(originSocket: string, shape: LinkShape): Promise<ShapedLink> {
  const up = new Direction(() => link.shape)
  const down = new Direction(() => link.shape)
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (visitor) => {
    const origin = connect({ path: originSocket, allowHalfOpen: true })
    keep(visitor)
    keep(origin)
    down.carry(origin, visitor)
    // The handshake: the first bytes leave one round trip after the visitor began to connect.
    setTimeout(() => up.carry(visitor, origin), link.shape.roundTripMs)
    for (const [one, other] of [
      [visitor, origin],
      [origin, visitor],
    ] as const) {
      one.on('error', () => other.destroy())
      one.once('close', (hadError) => hadError && other.destroy())
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const link: ShapedLink = {
    port: (server.address() as AddressInfo).port,
    shape,
    downBytes: () => down.carriedBytes,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
  return link
}

/** One way of the line. */
class Direction {
  readonly #shape: () => LinkShape
  readonly #leaving = new TimedQueue()
  readonly #arriving = new TimedQueue()
  #freeAtMs = 0
  carriedBytes = 0

  constructor(shape: () => LinkShape) {
    this.#shape = shape
  }

  carry(from: Socket, to: Socket): void {
    let waiting = 0
    const steer = () => {
      if (waiting >= waitingBytes || to.writableLength > unreadBytes) from.pause()
      else from.resume()
    }
    from.on('data', (bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = bytes.subarray(at, at + pieceBytes)
        waiting += piece.length
        const leftMs = this.#transmit(piece.length)
        this.#leaving.push(leftMs, () => {
          waiting -= piece.length
          steer()
        })
        this.#arriving.push(leftMs + this.#shape().roundTripMs / 2, () => {
          if (!to.destroyed) to.write(piece)
          steer()
        })
      }
      steer()
    })
    from.on('end', () => {
      this.#arriving.push(this.#transmit(0) + this.#shape().roundTripMs / 2, () => to.end())
    })
    to.on('drain', steer)
    from.resume()
  }

  /** When the last of so many bytes has left. */
  #transmit(bytes: number): number {
    this.carriedBytes += bytes
    this.#freeAtMs = Math.max(this.#freeAtMs, performance.now()) + bytes / (this.#shape().bitsPerSecond / 8000)
    return this.#freeAtMs
  }
}
