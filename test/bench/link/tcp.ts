/*
 * TCP beside which we are measured, run in a namespace. `serve PORT` sends to whoever says something, as fast as TCP takes it.
 * `fetch PORT SECONDS ADDRESS...` connects to servers, waits until all connections stand, asks, and prints one timeline.
 */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Timeline } from './timeline.ts'
import { joinTimelines } from './timeline.ts'

const pieceBytes = 64 * 1024
const stepMs = 2
const [role, port = '', seconds = '', ...addresses] = process.argv.slice(2)

if (role === 'serve') serve()
else {
  const sockets = addresses.map((address) => connect(Number(port), address))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  const timelines = await Promise.all(sockets.map((socket) => fetchFor(socket, Number(seconds) * 1000)))
  // It ends by itself: an exit would cut what a pipe has not taken yet.
  console.log(JSON.stringify(joinTimelines(timelines)))
}

function serve(): void {
  const piece = Buffer.alloc(pieceBytes, 0x61)
  const server = createServer((socket) => {
    socket.setNoDelay(true)
    socket.on('error', () => socket.destroy())
    socket.once('data', () => {
      const send = (): void => {
        while (!socket.destroyed && socket.write(piece));
      }
      socket.on('drain', send)
      send()
    })
  })
  server.listen(Number(port), () => console.log('ready'))
  // The benchmark ends, or dies.
  process.stdin.on('end', () => process.exit(0)).resume()
}

function fetchFor(socket: Socket, forMs: number): Promise<Timeline> {
  const startMs = performance.now()
  const timeline: [number, number][] = []
  let bytes = 0
  socket.write('1')
  return new Promise((resolve) => {
    socket.on('data', (part) => {
      bytes += part.length
      const ms = performance.now() - startMs
      if (ms >= (timeline.at(-1)?.[0] ?? 0) + stepMs) timeline.push([ms, bytes])
    })
    setTimeout(() => {
      socket.destroy()
      resolve(timeline)
    }, forMs)
  })
}
