import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { BrowserContext } from 'playwright-core'
import { TimedQueue } from './timed-queue.ts'

/*
 * Lines between browsers. On one machine they reach each other over loopback, which is like no visitor's line. Here each
 * datagram passes this process: a browser is told the other's candidates with a port of ours in the place of its own,
 * and ours stands for it on both sides, as a router that translates addresses would. Each device has one line up, which
 * all of its connections share.
 */

export interface UplinkShape {
  readonly bitsPerSecond: number
  /** One way. */
  readonly delayMs: number
  /** What does not fit any more is lost. */
  readonly queueBytes: number
}

/** A device's line to others. May be changed at any time: undefined is loopback as it is, `cut` loses everything. */
export interface Uplink {
  shape: UplinkShape | 'cut' | undefined
}

export interface PeerLines {
  /** Before the first page that connects. */
  attach(context: BrowserContext, uplink: Uplink): Promise<void>
  close(): void
}

/** One port of one browser. */
interface Endpoint {
  readonly line: Line
  readonly address: string
  readonly port: number
  /** Stands for it. */
  readonly socket: Socket
}

const receiveBufferBytes = 4 * 1024 * 1024

export function openPeerLines(): PeerLines {
  const endpoints = new Map<string, Endpoint>()
  const awaited = new Map<string, ((endpoint: Endpoint) => void)[]>()

  const open = async (line: Line, address: string, port: number): Promise<void> => {
    const key = `${address}:${port}`
    const before = endpoints.get(key)
    if (before?.line === line) return
    const socket = createSocket({ type: 'udp4', recvBufferSize: receiveBufferBytes })
    const endpoint = { line, address, port, socket }
    socket.on('message', (bytes, from) => {
      // Who is not known yet asks again: ICE does.
      const sender = endpoints.get(`${from.address}:${from.port}`)
      sender?.line.carry(bytes.length, () => sender.socket.send(bytes, port, address, () => {}))
    })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    before?.socket.close() // the system gave the port to another browser
    endpoints.set(key, endpoint)
    for (const resolve of awaited.get(key) ?? []) resolve(endpoint)
    awaited.delete(key)
  }
  const relayPort = async (address: string, port: number): Promise<number> => {
    const key = `${address}:${port}`
    // Its candidate may come to the other browser before we hear of it.
    const endpoint =
      endpoints.get(key) ??
      (await new Promise<Endpoint>((resolve) => awaited.set(key, [...(awaited.get(key) ?? []), resolve])))
    return endpoint.socket.address().port
  }
  return {
    async attach(context, uplink) {
      const line = new Line(uplink)
      await context.exposeFunction(ownName, (address: string, port: number) => open(line, address, port))
      await context.exposeFunction(relayName, relayPort)
      await context.addInitScript(redirectConnections, { ownName, relayName })
    },
    close() {
      for (const { socket } of endpoints.values()) socket.close()
      endpoints.clear()
    },
  }
}

const ownName = 'benchOwnCandidate'
const relayName = 'benchRelayPort'

/** Runs in each page, before its own scripts. */
function redirectConnections(names: { ownName: string; relayName: string }): void {
  const functionOf = (name: string): ((address: string, port: number) => Promise<number>) =>
    Reflect.get(globalThis, name)
  // foundation component protocol priority address port typ …, RFC 8839 section 5.1
  const read = (text: string): { fields: string[]; address: string; port: number } | undefined => {
    const fields = text.split(' ')
    const [, , protocol, , address = '', port] = fields
    return protocol?.toLowerCase() === 'udp' ? { fields, address, port: Number(port) } : undefined
  }
  const Native = RTCPeerConnection
  globalThis.RTCPeerConnection = class extends Native {
    constructor(configuration?: RTCConfiguration) {
      super(configuration)
      this.addEventListener('icecandidate', (event) => {
        const own = event.candidate && read(event.candidate.candidate)
        if (own) void functionOf(names.ownName)(own.address, own.port)
      })
    }
    override async addIceCandidate(candidate?: RTCIceCandidateInit | null): Promise<void> {
      const told = read(candidate?.candidate ?? '')
      if (told?.address !== '127.0.0.1') return
      told.fields[5] = String(await functionOf(names.relayName)(told.address, told.port))
      await super.addIceCandidate({ ...candidate, candidate: told.fields.join(' ') })
    }
  }
}

class Line {
  readonly #uplink: Uplink
  readonly #arriving = new TimedQueue()
  #freeAtMs = 0

  constructor(uplink: Uplink) {
    this.#uplink = uplink
  }

  carry(bytes: number, arrive: () => void): void {
    const { shape } = this.#uplink
    if (shape === 'cut') return
    if (shape === undefined) {
      arrive()
      return
    }
    const now = performance.now()
    const bytesPerMs = shape.bitsPerSecond / 8000
    const freeAtMs = Math.max(this.#freeAtMs, now)
    if ((freeAtMs - now) * bytesPerMs + bytes > shape.queueBytes) return
    this.#freeAtMs = freeAtMs + bytes / bytesPerMs
    this.#arriving.push(this.#freeAtMs + shape.delayMs, arrive)
  }
}
