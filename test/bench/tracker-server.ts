import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AnnounceTracker } from '../../origin/announce.ts'
import { createAnnounceDialect } from '../../origin/announce-dialect.ts'
import { trustedProxyList } from '../../origin/client-address.ts'
import { Locality, readPlaceTables } from '../../origin/locality.ts'
import { TrackerSocket } from '../../origin/tracker-socket.ts'

/** Which tracker a server process runs. */
export type TrackerName = 'nearhand' | 'bittorrent-tracker'

export interface ServerReport {
  /** Of the process, user and system. */
  readonly cpuMs: number
  readonly rssBytes: number
}

/** Runs one tracker in this process, and reports to its parent when asked. */
export async function serveTracker(name: TrackerName): Promise<void> {
  const port = name === 'nearhand' ? await serveOurs() : await serveTheirs()
  process.on('message', () => {
    globalThis.gc?.()
    const { user, system } = process.cpuUsage()
    const report: ServerReport = { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() }
    process.send?.(report)
  })
  process.on('disconnect', () => process.exit())
  process.send?.(port)
}

async function serveOurs(): Promise<number> {
  // This file runs bundled, as dist/bench/tracker.mjs.
  const locality = new Locality(readPlaceTables(await readFile(new URL('../places.bin', import.meta.url))))
  const tracker = new AnnounceTracker({ lan: true, now: Date.now, random: Math.random })
  const now = (): number => Date.now() / 1000
  const socket = new TrackerSocket([createAnnounceDialect(tracker, { base: '/', checkPass: undefined, now })], {
    isAllowedOrigin: () => true,
    isLocalPage: () => false,
    placeOf: (address) => locality.placeOf(address),
    proxies: trustedProxyList([]),
    now: Date.now,
    log: console.error,
  })
  const server = createServer()
  socket.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return portOf(server.address())
}

async function serveTheirs(): Promise<number> {
  const { default: Server } = await import('bittorrent-tracker/server')
  const server = new Server({ http: true, udp: false, ws: true, stats: false })
  server.on('warning', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return portOf(server.http.address())
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port
  throw new Error('Cannot serve: no port')
}
