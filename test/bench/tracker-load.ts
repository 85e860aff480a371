import { once } from 'node:events'
import { WebSocket } from 'ws'
import { buildSdp } from '../../protocol/session-description.ts'

/** As many as a tracker takes of one address at once. */
const perAddress = 200
const swarms = 100
const opening = 64

const candidates = Array.from({ length: 5 }, (_, at) => {
  return `a=candidate:${at} 1 udp 2122260223 198.51.100.${at + 1} 5${at}000 typ srflx raddr 0.0.0.0 rport 0\r\n`
}).join('')
const description = { iceUfrag: 'abcd', icePwd: 'a'.repeat(24), fingerprint: 'ab'.repeat(32) }
const offerSdp = buildSdp({ ...description, setup: 'actpass' }) + candidates
const answerSdp = buildSdp({ ...description, setup: 'active' }) + candidates

export interface LoadClient {
  readonly socket: WebSocket
  readonly number: number
}

/** Connects so many, from addresses of loopback, and announces each once. */
export async function connectAll(port: number, count: number, first = 0): Promise<LoadClient[]> {
  const clients: LoadClient[] = []
  let next = first
  const work = async (): Promise<void> => {
    while (next < first + count) {
      const number = next
      next += 1
      const group = Math.floor(number / perAddress)
      const localAddress = `127.${1 + (group >> 8)}.${group & 255}.1`
      const socket = new WebSocket(`ws://127.0.0.1:${port}/announce`, { localAddress, perMessageDeflate: false })
      await once(socket, 'open')
      const client = { socket, number }
      await ask(client, announce(number, { event: 'started', left: 1 }))
      clients.push(client)
    }
  }
  await Promise.all(Array.from({ length: opening }, work))
  return clients
}

/** Has all announce in turns, each after the reply to the one before. Resolves when so many were answered. */
export async function announceAll(clients: readonly LoadClient[], total: number, offers: number): Promise<void> {
  let left = total
  await Promise.all(
    clients.map(async (client) => {
      const text = announce(client.number, { numwant: offers, offers: offersOf(client.number, offers) })
      while (left > 0) {
        left -= 1
        await ask(client, text)
      }
    }),
  )
}

/** From sending an offer to the answer's arrival, in milliseconds: one pair of a swarm of two at a time. */
export async function measureAnswers(port: number, rounds: number): Promise<number[]> {
  const [one, two] = await connectAll(port, 2, 1_000_000)
  if (one === undefined || two === undefined) throw new Error('Cannot measure: nobody connected')
  const hash = 'answers'.padEnd(20, '-')
  for (const client of [one, two]) await ask(client, announce(client.number, { info_hash: hash }))
  two.socket.on('message', (payload: Buffer) => {
    const message = JSON.parse(payload.toString()) as { offer?: unknown; peer_id?: string; offer_id?: string }
    if (message.offer === undefined) return
    const { peer_id: to_peer_id, offer_id } = message
    const answer = { type: 'answer', sdp: answerSdp }
    two.socket.send(announce(two.number, { info_hash: hash, to_peer_id, offer_id, answer }))
  })
  const times: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const offers = [{ offer_id: `${round}`.padStart(20, 'o'), offer: { type: 'offer', sdp: offerSdp } }]
    const start = performance.now()
    const answered = until(one, (text) => text.includes('"answer"'))
    one.socket.send(announce(one.number, { info_hash: hash, numwant: 1, offers }))
    await answered
    times.push(performance.now() - start)
  }
  for (const { socket } of [one, two]) socket.terminate()
  return times
}

function announce(number: number, fields: object): string {
  const info_hash = `${number % swarms}`.padStart(20, 'h')
  const peer_id = `${number}`.padStart(20, 'p')
  return JSON.stringify({ action: 'announce', info_hash, peer_id, uploaded: 0, downloaded: 0, ...fields })
}

function offersOf(number: number, count: number): object[] {
  return Array.from({ length: count }, (_, at) => ({
    offer_id: `${number}-${at}`.padStart(20, 'o'),
    offer: { type: 'offer', sdp: offerSdp },
  }))
}

function ask(client: LoadClient, text: string): Promise<void> {
  const answered = until(client, (reply) => reply.includes('"interval"'))
  client.socket.send(text)
  return answered
}

function until({ socket }: LoadClient, isIt: (text: string) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const onClose = (code: number): void => reject(new Error(`Cannot go on: the tracker closed with ${code}`))
    const onMessage = (payload: Buffer): void => {
      const text = payload.toString('latin1')
      if (text.includes('failure reason')) reject(new Error(`Cannot go on: ${text}`))
      if (!isIt(text)) return
      socket.off('message', onMessage)
      socket.off('close', onClose)
      resolve()
    }
    socket.on('message', onMessage)
    socket.on('close', onClose)
  })
}
