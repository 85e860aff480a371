import { expect } from 'vitest'
import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import { parseExchangeToWorker } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import type { PeerId } from '../../protocol/ids.ts'
import { peerIdSchema, swarmIdSchema } from '../../protocol/ids.ts'
import { parseValue } from '../../protocol/json.ts'
import type { PeerFrame, ShortId } from '../../protocol/peer-wire.ts'
import { encodeFrame, parseFrame, swarmProof } from '../../protocol/peer-wire.ts'
import type { ExchangeToPage, SectionSwarm } from '../../sdk/exchange-messages.ts'
import { parseExchangeToPage } from '../../sdk/exchange-messages.ts'
import { Exchange } from '../../sdk/exchange.ts'
import type { FakeChannel } from '../fakes/channel-pair.ts'
import { createChannelPair } from '../fakes/channel-pair.ts'
import type { FakeClock } from '../fakes/clock.ts'
import { rest, until } from '../fakes/clock.ts'
import { passFor, passNow, trustOf } from '../protocol/passes.ts'
import { StoredDisk } from '../fakes/stored-disk.ts'

export const peerIdOf = (digit: string): PeerId => parseValue(peerIdSchema, digit.repeat(32), 'peer')
export const swarm = parseValue(swarmIdSchema, '5'.repeat(32), 'swarm')
export const wholeSite: readonly SectionSwarm[] = [{ section: '/', swarm }]

/** Of the certificate that a peer of this name is connected with. */
export const fingerprintOf = (id: PeerId): string => id + id

/** A device: an exchange with its store, and what would be the page and the service worker around it. */
export class Device {
  readonly id: PeerId
  readonly disk = new StoredDisk()
  readonly told: ExchangeToPage[] = []
  readonly answers: ExchangeToWorker[] = []
  /** What the service worker was told of our own. */
  readonly passes: string[] = []
  readonly exchange: Exchange
  readonly #channels = new Map<RTCDataChannel, FakeChannel>()
  readonly #port: MessagePort
  #request = 0
  #connections = 0

  constructor(
    id: PeerId,
    clock: FakeClock,
    swarms: readonly SectionSwarm[] = wholeSite,
    disk?: StoredDisk,
    knowsKeys = true,
  ) {
    this.id = id
    if (disk) this.disk = disk
    this.exchange = new Exchange({
      clock,
      random: () => 0,
      store: this.disk,
      channelOf: (channel) => this.#channels.get(channel) ?? createChannelPair()[0],
      post: (message) => this.told.push(parseExchangeToPage(message)),
      failed: (error) => {
        throw error
      },
    })
    this.exchange.receive({ type: 'swarms', swarms, pass: passFor(fingerprintOf(id)) })
    this.exchange.receive({ type: 'upload', bytesPerSecond: 100_000_000, bytesLeft: 1e9, day: 1 })
    this.#port = this.link()
    if (knowsKeys) this.post({ type: 'passes', ...trustOf(), now: passNow })
    this.post({ type: 'rule', servesMs: 86_400_000, off: [], isCutOff: false })
  }

  /** Gives the exchange a new port. */
  link(): MessagePort {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = parseExchangeToWorker(data)
      if (message.type === 'pass') this.passes.push(message.pass)
      else this.answers.push(message)
    }
    this.exchange.receive({ type: 'link', port: port2 })
    return port1
  }

  /** Connects a peer's end of a channel. */
  meet(peer: PeerId, end: FakeChannel): void {
    // A browser's class that Node has not: the port `channelOf` is what makes it a channel.
    const channel = {} as RTCDataChannel
    this.#channels.set(channel, end)
    this.#connections += 1
    this.exchange.receive({ type: 'channel', connection: this.#connections, peer, self: this.id, channel })
    this.exchange.receive({ type: 'certificate', peer, fingerprint: fingerprintOf(peer) })
  }

  get peers(): readonly string[] {
    const last = this.told.findLast((message) => message.type === 'peers')
    return last?.peers.map(({ id }) => id) ?? []
  }

  get gone(): readonly (readonly [PeerId, boolean])[] {
    return this.told.flatMap((message) => (message.type === 'gone' ? [[message.peer, message.isBanned] as const] : []))
  }

  post(message: unknown): void {
    this.#port.postMessage(message)
  }

  /** Asks as the service worker does; the answer comes into `answers`. */
  ask(
    message:
      | Omit<Extract<WorkerToExchange, { type: 'find' }>, 'request' | 'type'>
      | Omit<Extract<WorkerToExchange, { type: 'read' }>, 'request' | 'type'>,
  ): number {
    this.#request += 1
    this.post({ type: 'index' in message ? 'read' : 'find', request: this.#request, ...message })
    return this.#request
  }

  answerTo(request: number): ExchangeToWorker | undefined {
    return this.answers.find((answer) => 'request' in answer && answer.request === request)
  }

  async answer(request: number): Promise<ExchangeToWorker> {
    await until(() => this.answerTo(request) !== undefined)
    const answer = this.answerTo(request)
    if (answer === undefined) throw new Error('Cannot find answer')
    return answer
  }

  close(): void {
    this.exchange.receive({ type: 'stop' })
    this.#port.close()
  }
}

export async function connect(one: Device, other: Device): Promise<readonly [FakeChannel, FakeChannel]> {
  const ends = createChannelPair()
  one.meet(other.id, ends[0])
  other.meet(one.id, ends[1])
  for (const end of ends) end.open()
  await until(() => one.peers.includes(other.id) && other.peers.includes(one.id))
  return ends
}

/** The other end of a channel, in the hands of a test: it says what the test wants. */
export class RawPeer {
  readonly id: PeerId
  readonly heard: PeerFrame[] = []
  /** The device's end. */
  readonly theirs: FakeChannel
  readonly #end: FakeChannel
  isClosed = false

  constructor(id: PeerId, device: Device) {
    this.id = id
    const [theirs, ours] = createChannelPair()
    this.theirs = theirs
    this.#end = ours
    ours.listen({
      opened: () => {},
      received: (bytes) => this.heard.push(parseFrame(bytes)),
      drained: () => {},
      closed: () => {
        this.isClosed = true
      },
    })
    device.meet(id, theirs)
    theirs.open()
  }

  say(...frames: readonly PeerFrame[]): void {
    for (const frame of frames) this.#end.send(encodeFrame(frame))
  }

  sayBytes(bytes: Bytes): void {
    this.#end.send(bytes)
  }

  close(): void {
    this.#end.close()
  }

  wants(): Extract<PeerFrame, { type: 'want' }>[] {
    return this.heard.filter((frame) => frame.type === 'want')
  }

  proof(): Promise<ShortId> {
    return swarmProof(swarm, this.id)
  }

  async hello(pass = passFor(fingerprintOf(this.id))): Promise<void> {
    this.say({ type: 'hello', version: 1, proofs: [await this.proof()], pass })
    await until(() => this.heard.some(({ type }) => type === 'hello'))
  }

  /** Goes through the handshake and says that it holds these assets whole. */
  async claim(...ids: readonly string[]): Promise<void> {
    await this.hello()
    const entries = ids.map((id) => ({ id: id.slice(0, 16), state: 'whole' as const }))
    this.say({ type: 'have', proof: await this.proof(), reset: true, entries })
    // Its pass is checked by then, in another thread.
    await until(() => this.isClosed || this.heard.some(({ type }) => type === 'have'))
    await rest()
  }
}

export function expectChunk(answer: ExchangeToWorker, bytes: Bytes): void {
  expect(answer.type).toBe('chunk')
  if (answer.type === 'chunk') expect(Buffer.from(answer.bytes).equals(bytes)).toBe(true)
}
