import { ProtocolError } from '../protocol/errors.ts'
import type { PeerId, SwarmId } from '../protocol/ids.ts'
import type { Signal, ToTracker } from '../protocol/tracker-wire.ts'
import { parseFromTracker, trackerWireVersion } from '../protocol/tracker-wire.ts'
import { backoffMs } from './backoff.ts'
import type { Clock } from './clock.ts'

/** The part of a WebSocket that is needed. */
export interface Socket {
  send(text: string): void
  close(): void
}

export interface SocketEvents {
  opened(): void
  received(text: string): void
  /** Called once, also where it never opened. */
  closed(): void
}

export interface TrackerPorts {
  readonly clock: Clock
  readonly random: () => number
  openSocket(events: SocketEvents): Socket
}

export interface TrackerEvents {
  welcomed(self: PeerId): void
  introduced(peers: readonly PeerId[]): void
  signalled(from: PeerId, signal: Signal): void
  /** The envelope of a new fresh. */
  pushed(envelope: string): void
  /** Whether it can be reached now. */
  reached(isReachable: boolean): void
  /** The tracker does not take the swarms or the pass that we named: they changed. */
  refused(): void
}

const firstRetryMs = 500
const longestRetryMs = 30_000
/** A connection that held this long was a good one. */
const goodAfterMs = 10_000
const welcomeMs = 10_000

/** Keeps one socket to the tracker open, and comes back to it with growing pauses. */
export class TrackerClient {
  readonly #ports: TrackerPorts
  readonly #events: TrackerEvents
  #swarms: readonly SwarmId[] = []
  #pass = ''
  #socket: Socket | undefined
  #self: PeerId | undefined
  #attempt = 0
  #openedAt = Infinity
  #cancelWait: () => void = () => {}

  constructor(ports: TrackerPorts, events: TrackerEvents) {
    this.#ports = ports
    this.#events = events
  }

  /** How the tracker calls us; undefined while it does not. */
  get self(): PeerId | undefined {
    return this.#self
  }

  /** Joins these swarms, by a connection of their own; or shows a new pass for those that were joined. */
  join(swarms: readonly SwarmId[], pass: string): void {
    const isSame = this.#swarms.join() === swarms.join()
    this.#pass = pass
    if (isSame) {
      if (this.#self !== undefined) this.#tellJoin()
      return
    }
    this.stop()
    this.#swarms = swarms
    this.#open()
  }

  seek(swarm: SwarmId, count: number, known?: readonly PeerId[]): void {
    this.#send({ type: 'seek', swarm, count, known })
  }

  signal(to: PeerId, signal: Signal): void {
    this.#send({ type: 'signal', to, signal })
  }

  stop(): void {
    this.#cancelWait()
    const socket = this.#socket
    this.#socket = undefined
    this.#self = undefined
    socket?.close()
  }

  #open(): void {
    const isCurrent = (): boolean => this.#socket === socket
    const socket: Socket = this.#ports.openSocket({
      opened: () => {
        if (!isCurrent()) return
        this.#openedAt = this.#ports.clock.now()
        this.#tellJoin()
      },
      received: (text) => {
        if (isCurrent()) this.#receive(text)
      },
      closed: () => {
        if (isCurrent()) this.#lost()
      },
    })
    this.#socket = socket
    this.#cancelWait = this.#ports.clock.after(welcomeMs, () => this.#drop())
  }

  #tellJoin(): void {
    const join: ToTracker = { type: 'join', version: trackerWireVersion, swarms: this.#swarms, pass: this.#pass }
    this.#socket?.send(JSON.stringify(join))
  }

  /** At once: a socket that fails may take long to close. */
  #drop(): void {
    const socket = this.#socket
    this.#lost()
    socket?.close()
  }

  #lost(): void {
    const { clock, random } = this.#ports
    if (clock.now() - this.#openedAt > goodAfterMs) this.#attempt = 0
    this.#openedAt = Infinity
    this.#socket = undefined
    if (this.#self !== undefined) this.#events.reached(false)
    this.#self = undefined
    this.#cancelWait()
    this.#cancelWait = clock.after(backoffMs(this.#attempt, firstRetryMs, longestRetryMs, random), () => this.#open())
    this.#attempt += 1
  }

  #receive(text: string): void {
    try {
      const message = parseFromTracker(text)
      switch (message.type) {
        case 'welcome':
          if (this.#self !== undefined) throw new ProtocolError('malformed', 'Cannot take a second welcome')
          this.#cancelWait()
          this.#self = message.peer
          this.#events.reached(true)
          this.#events.welcomed(message.peer)
          break
        case 'peers':
          this.#events.introduced(message.peers)
          break
        case 'signal':
          this.#events.signalled(message.from, message.signal)
          break
        case 'fault':
          if (message.fault === 'foreign' || message.fault === 'pass') this.#events.refused()
          // It ends the connection as well; one that does not may not say it again and again.
          this.#drop()
          break
        case 'fresh':
          this.#events.pushed(message.envelope)
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      // It speaks another language: no use to go on with this connection.
      this.#drop()
    }
  }

  #send(message: ToTracker): void {
    if (this.#self !== undefined) this.#socket?.send(JSON.stringify(message))
  }
}
