import { once } from 'node:events'
import type { RequestListener, Server } from 'node:http'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { stallWaitMs, stopWaitMs } from '../protocol/limits.ts'
import type { OriginOptions } from './config.ts'
import { Connections } from './connections.ts'
import type { Origin } from './origin.ts'
import { createOrigin } from './origin.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { announcePath } from './announce-dialect.ts'
import { trackerPath } from './own-dialect.ts'
import { isSocketRequest } from './tracker-socket.ts'
import { ignoreUpgrade, isWebSocketRequest, refuseUpgrade } from './upgrade.ts'

export interface ServeOptions extends OriginOptions {
  /** 0 takes any free port. */
  readonly port: number
  /** Name or address to listen on. `localhost` is this machine alone; `0.0.0.0` or `::` is every address. */
  readonly host: string
  /** Milliseconds without a byte in either direction until a connection is closed. Default: 120,000. */
  readonly stallWaitMs?: number | undefined
}

export interface ServedOrigin {
  /** Where the site begins. */
  readonly url: string
  readonly origin: Origin
  /** Takes no more connections, lets running responses end for up to 5 seconds, then closes everything. */
  close(): Promise<void>
}

/**
 * Serves an origin by a Node HTTP server of its own. Rejects where the port cannot be had.
 *
 * @param signal gives up the start, and does nothing after it
 */
export async function serveOrigin(options: ServeOptions, signal?: AbortSignal): Promise<ServedOrigin> {
  const server = createServer()
  const connections = new Connections(server)
  // Listening comes before publishing, which may take minutes: a port that is taken is told at once.
  await listen(server, options.port, options.host)
  const opening = createOrigin(options, signal)
  server.on('request', listenerOf(opening))
  const { base = '/', announce } = options
  const paths = [trackerPath(base), ...(announce ? [announcePath(base)] : [])]
  let isOpen = false
  server.on('upgrade', (request, socket, rest) => {
    // What nobody takes would hang: with any listener for upgrades, Node leaves the answer to the listeners.
    if (!isWebSocketRequest(request)) ignoreUpgrade(server, request, socket, rest)
    else if (!paths.some((path) => isSocketRequest(request, path))) refuseUpgrade(socket, '404 Not Found')
    else if (!isOpen) refuseUpgrade(socket, '503 Service Unavailable')
  })
  try {
    const origin = await opening
    origin.attach(server)
    isOpen = true
    // Only now: who came before waits for the publication, and for longer than this where the site is large.
    server.setTimeout(options.stallWaitMs ?? stallWaitMs)
    return { url: urlOf(server, options), origin, close: () => stop(server, connections, origin) }
  } catch (error) {
    server.close()
    connections.destroy()
    throw error
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  // Where the name has an IPv6 address, too, Node would take only one of the two, and not always the same.
  server.listen(port, host === 'localhost' ? '127.0.0.1' : host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const state = code === 'EADDRINUSE' ? 'another program has the port' : String(cause)
    throw new Error(`Cannot listen on ${host} port ${port}: ${state}`, { cause })
  }
}

/** Requests that come while the folder is published wait for it. */
function listenerOf(opening: Promise<Origin>): RequestListener {
  // Hono would otherwise put its own Request and Response in the place of the process's.
  // HTTP/1.0 knows no Host, and health checks of load balancers speak it.
  const options = { overrideGlobalObjects: false, hostname: 'localhost' }
  const answer = getRequestListener(async (request, env) => (await opening).app.fetch(request, env), options)
  return oneAtATime((request, response) => void answer(request, response))
}

async function stop(server: Server, connections: Connections, origin: Origin): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  connections.end()
  const patience = setTimeout(() => connections.destroy(), stopWaitMs)
  await Promise.all([origin.close(), closed])
  clearTimeout(patience)
}

function urlOf(server: Server, { host, base = '/' }: ServeOptions): string {
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const isEvery = host === '0.0.0.0' || host === '::'
  return `http://${isEvery ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}${base}`
}
