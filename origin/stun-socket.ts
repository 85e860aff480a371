import type { Socket } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { UdpAddress } from './stun.ts'
import { answerStun } from './stun.ts'

export interface StunSocket {
  readonly port: number
  close(): Promise<void>
}

/** Answers STUN binding requests. Throws where the port cannot be had. @param host default: every address */
export async function startStun(port: number, host: string | undefined): Promise<StunSocket> {
  const socket = await bindAny(port, host)
  socket.on('message', (datagram, from) => reply(socket, datagram, from))
  socket.on('error', () => undefined)
  return {
    port: socket.address().port,
    close: async () => {
      socket.close()
      await once(socket, 'close')
    },
  }
}

/** Answers one datagram, whatever it is. */
export function reply(socket: Pick<Socket, 'send'>, datagram: Uint8Array, from: UdpAddress): void {
  try {
    const answer = answerStun(datagram, from)
    if (answer) socket.send(answer, from.port, from.address, () => undefined)
  } catch {
    // Whoever asks by UDP asks again: a datagram that cannot be sent is a lost one. Node throws where an address is
    // none, and thrown here it would end the whole process.
  }
}

/** Both families by one socket where the machine has IPv6, IPv4 alone where it has not. */
async function bindAny(port: number, host: string | undefined): Promise<Socket> {
  if (host !== undefined) return bind(host.includes(':') ? 'udp6' : 'udp4', port, host)
  try {
    return await bind('udp6', port, '::')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') throw error
    return bind('udp4', port, '0.0.0.0')
  }
}

async function bind(type: 'udp4' | 'udp6', port: number, host: string): Promise<Socket> {
  const socket = createSocket({ type })
  socket.bind({ port, address: host, exclusive: true })
  try {
    await once(socket, 'listening')
  } catch (error) {
    socket.close()
    throw error
  }
  return socket
}
