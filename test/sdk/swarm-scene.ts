import type { PageToWorker } from '../../protocol/bridge.ts'
import type { PeerId } from '../../protocol/ids.ts'
import type { JoinResponse } from '../../protocol/join.ts'
import type { FromTracker, Signal, ToTracker } from '../../protocol/tracker-wire.ts'
import { parseToTracker } from '../../protocol/tracker-wire.ts'
import { Bans } from '../../sdk/bans.ts'
import type { ConnectionPorts } from '../../sdk/connection.ts'
import type { PageToExchange } from '../../sdk/exchange-messages.ts'
import type { DialledConnection } from '../../sdk/swarm.ts'
import { Swarm } from '../../sdk/swarm.ts'
import type { SocketEvents } from '../../sdk/tracker-client.ts'
import { FakeClock, rest } from '../fakes/clock.ts'
import { MapMemory } from '../fakes/map-memory.ts'
import { peerIdOf, swarm as swarmId, wholeSite } from './exchange-scene.ts'

export const self = peerIdOf('7')
export const peers = (count: number): PeerId[] =>
  Array.from({ length: count }, (_, at) => peerIdOf('0').slice(0, 30).concat(at.toString().padStart(2, '0')) as PeerId)
export const offerOf = (digit: string): Signal => ({
  type: 'offer',
  description: { iceUfrag: 'abcd', icePwd: 'a'.repeat(22), fingerprint: digit.repeat(64), setup: 'actpass' },
})
export const answerOf = (digit: string): Signal => ({
  type: 'answer',
  description: { iceUfrag: 'abcd', icePwd: 'a'.repeat(22), fingerprint: digit.repeat(64), setup: 'active' },
})

class FakeConnection implements DialledConnection {
  readonly steps: string[] = []
  readonly #ports: Omit<ConnectionPorts, 'createPeer'>

  constructor(ports: Omit<ConnectionPorts, 'createPeer'>) {
    this.#ports = ports
    // A browser's class that Node has not; the exchange is a list here.
    ports.adopt({} as RTCDataChannel)
  }

  offer(): Promise<void> {
    this.steps.push('offer')
    return Promise.resolve()
  }

  answer(): Promise<void> {
    this.steps.push('answer')
    return Promise.resolve()
  }

  accept(signal: Signal): Promise<void> {
    this.steps.push(signal.type)
    return Promise.resolve()
  }

  open(): void {
    this.#ports.opened()
  }

  close(): void {
    if (this.isClosed) return
    this.steps.push('close')
    this.#ports.closed()
  }

  get isClosed(): boolean {
    return this.steps.at(-1) === 'close'
  }
}

/** A swarm whose tracker, origin and connections are fakes. */
export async function openSwarm(
  joinResponses: (JoinResponse | Error | 'hang' | 'deaf' | 'no')[] = [],
  known?: readonly PeerId[],
) {
  const clock = new FakeClock()
  const sockets: SocketEvents[] = []
  const sent: ToTracker[] = []
  const connections: FakeConnection[] = []
  const told: PageToExchange[] = []
  const toldWorker: PageToWorker[] = []
  const bans = new Bans(new MapMemory())
  let joins = 0
  let isRefusing = false
  const usual: JoinResponse = { pass: 'a.b.c', swarms: wholeSite, iceServers: [], lan: true, renewSeconds: 3600 }
  const swarm = new Swarm(
    {
      clock,
      random: () => 0.5,
      fetchJoin(signal) {
        joins += 1
        const response = joinResponses.shift() ?? usual
        if (response === 'no') return Promise.resolve(undefined)
        if (response === 'deaf') return new Promise(() => {})
        if (response === 'hang') {
          return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
        }
        return response instanceof Error ? Promise.reject(response) : Promise.resolve(response)
      },
      openSocket(events) {
        sockets.push(events)
        return { send: (text) => sent.push(parseToTracker(text)), close: () => events.closed() }
      },
      connect(ports) {
        if (isRefusing) throw new DOMException('too many', 'UnknownError')
        const connection = new FakeConnection(ports)
        connections.push(connection)
        return connection
      },
      tellWorker: (message) => void toldWorker.push(message),
      tellExchange: (message) => told.push(message),
    },
    bans,
    known,
  )
  const hear = (message: FromTracker): void => sockets.at(-1)?.received(JSON.stringify(message))
  const welcome = (): void => {
    sockets.at(-1)?.opened()
    hear({ type: 'welcome', peer: self })
  }
  // Not awaited: it may hang.
  void swarm.start()
  await rest()
  return {
    clock,
    sockets,
    sent,
    connections,
    told,
    toldWorker,
    bans,
    swarm,
    hear,
    welcome,
    joins: () => joins,
    refuse: (isRefused: boolean) => (isRefusing = isRefused),
    introduce: (ids: readonly PeerId[]) => hear({ type: 'peers', swarm: swarmId, peers: ids }),
    seeks: () => sent.filter(({ type }) => type === 'seek').length,
  }
}
