import type { MiddlewareHandler } from 'hono'
import type { DistantSite } from './bench-site.ts'
import type { Device } from './device.ts'
import { openDevice } from './device.ts'
import { seed } from './seed.ts'
import type { PeerLines, Uplink, UplinkShape } from './peer-lines.ts'
import { pathsOf, waitingPage } from './slow-site.ts'

/** What a visitor meets: peers as good as they are at home, or bad in one way, or nobody. */
export const caseNames = ['good', 'slow', 'dead', 'lying', 'none'] as const
export type CaseName = (typeof caseNames)[number]

export const goodUplink: UplinkShape = { bitsPerSecond: 20_000_000, delayMs: 20, queueBytes: 128 * 1024 }
export const slowUplink: UplinkShape = { bitsPerSecond: 200_000, delayMs: 20, queueBytes: 64 * 1024 }
const peerCount = 2
const liar = 'NearhandBenchLiar'

/** The peers of one case. Each holds every asset. */
export interface Peers {
  readonly count: number
  /** From now on they are what the case says; until then they can be connected to. */
  turnBad(): void
  turnBack(): void
  close(): Promise<void>
}

export async function openPeers(name: CaseName, site: DistantSite, lines: PeerLines, sets: number): Promise<Peers> {
  const devices: Device[] = []
  const uplinks: Uplink[] = []
  for (let left = name === 'none' ? 0 : peerCount; left > 0; left -= 1) {
    const device = await openDevice(name === 'lying' ? { userAgent: liar } : {})
    const uplink: Uplink = { shape: undefined }
    await lines.attach(device.context, uplink)
    await device.page.goto(site.url + waitingPage)
    await seed(device.page, Array.from({ length: sets }, (_, set) => pathsOf(set)).flat())
    devices.push(device)
    uplinks.push(uplink)
  }
  const connectable = name === 'slow' ? slowUplink : goodUplink
  const setAll = (shape: Uplink['shape']): void => uplinks.forEach((uplink) => (uplink.shape = shape))
  setAll(connectable)
  return {
    count: devices.length,
    turnBad: () => setAll(name === 'dead' ? 'cut' : connectable),
    turnBack: () => setAll(connectable),
    close: async () => void (await Promise.all(devices.map((device) => device.close()))),
  }
}

/** Gives a liar another exchange, which changes a bit in each piece of data that it sends. */
export const serveLiars: MiddlewareHandler = async (context, next) => {
  const isLiar = context.req.header('user-agent') === liar
  if (!isLiar || !context.req.url.endsWith('/nearhand-worker.js')) return next()
  return context.body(lyingScript, { headers: { 'content-type': 'text/javascript' } })
}

// The sixth type of frame is data; its bytes begin after the request's number (docs/protocol.md).
const lyingScript = `
  const sendTruth = RTCDataChannel.prototype.send
  RTCDataChannel.prototype.send = function (bytes) {
    if (bytes[0] === 6) {
      bytes = bytes.slice()
      bytes[bytes.length - 1] ^= 1
    }
    sendTruth.call(this, bytes)
  }
  importScripts('/nearhand-worker.js?true')
`
