import type { ExchangeToWorker, MissReason, WorkerToExchange } from '../protocol/bridge.ts'
import type { ContentId, PeerId } from '../protocol/ids.ts'
import { partTries, readsInFlight, untriedBytes, untriedMs } from '../protocol/limits.ts'
import type { PeerFrame } from '../protocol/peer-wire.ts'
import { indexOnWire, partIndexOnWire } from '../protocol/peer-wire.ts'
import type { Clock } from './clock.ts'
import type { AskFailure, AskHandle, Downloads } from './downloads.ts'
import type { Holdings } from './holdings.ts'
import type { HolderView, Rank } from './pick.ts'
import { expectedFinishMs, pickPeer } from './pick.ts'
import type { Standing } from './standing.ts'

type ReadMessage = Extract<WorkerToExchange, { type: 'read' }>

interface Attempt {
  readonly session: AskedPeer
  readonly handle: AskHandle
  /** Of a chunk that the peer was at for so long, in vain, it is to blame. */
  readonly slowMs: number
}

interface Read {
  readonly message: ReadMessage
  /** As on the wire. */
  readonly index: number
  readonly tried: Set<PeerId>
  readonly promptAt: number
  deadlineAt: number
  cancelDeadline: () => void
  rank: Rank
  reason: MissReason
  attempt: Attempt | undefined
}

/** A connected peer, as far as reads need it. */
export interface AskedPeer extends HolderView {
  readonly peer: PeerId
  readonly standing: Standing
  readonly holdings: Pick<Holdings, 'stateOf' | 'hasChunk' | 'wantsMap' | 'forget'> | undefined
  readonly downloads: Downloads
  send(frame: Extract<PeerFrame, { type: 'interest' }>): void
  end(end: 'violation'): void
}

export interface ReadPorts {
  readonly clock: Clock
  readonly random: () => number
  /** The sessions that can be asked. */
  readonly sessions: () => Iterable<AskedPeer>
  readonly reply: (message: ExchangeToWorker) => void
}

const stallCheckMs = 100
const slowFloorMs = 300
/** What an estimate may be wrong by until a chunk is taken from a peer. */
const hesitationMs = 100

/**
 * The chunks that the service worker wants, each of one peer at a time: busy, absent, closed or stalled leads to the
 * next holder while the deadline lasts.
 */
export class Reads {
  readonly #ports: ReadPorts
  readonly #reads = new Map<number, Read>()
  #checkedAt = 0
  #isChecking = false

  constructor(ports: ReadPorts) {
    this.#ports = ports
  }

  find(message: Extract<WorkerToExchange, { type: 'find' }>): void {
    const now = this.#ports.clock.now()
    let holders = 0
    for (const session of this.#ports.sessions()) {
      this.#learnMap(session, message.section, message.asset)
      const state = session.holdings?.stateOf(message.section, message.asset) ?? 'gone'
      if (state !== 'gone' && session.standing.isAvailable(now)) holders += 1
    }
    this.#ports.reply({ type: 'found', request: message.request, holders })
  }

  read(message: ReadMessage): void {
    this.cancel(message.request)
    if (this.#reads.size >= readsInFlight) {
      this.#ports.reply({ type: 'miss', request: message.request, reason: 'refused' })
      return
    }
    const read: Read = {
      message,
      index: indexOnWire(message.index),
      tried: new Set(),
      promptAt: this.#ports.clock.now() + message.promptMs,
      deadlineAt: this.#ports.clock.now() + message.deadlineMs,
      cancelDeadline: this.#ports.clock.after(message.deadlineMs, () => this.#late(read)),
      rank: message.index < 0 ? 0 : message.isUrgent ? 1 : 2,
      reason: 'nobody',
      attempt: undefined,
    }
    this.#reads.set(message.request, read)
    this.#tryNext(read)
    this.#watch()
  }

  /** The page waits for it by now. */
  hurry({ request, deadlineMs }: Extract<WorkerToExchange, { type: 'hurry' }>): void {
    const read = this.#reads.get(request)
    if (read === undefined) return
    const { clock } = this.#ports
    if (read.rank === 2) read.rank = 1
    read.attempt?.handle.hurry()
    if (clock.now() + deadlineMs >= read.deadlineAt) return
    read.cancelDeadline()
    read.deadlineAt = clock.now() + deadlineMs
    read.cancelDeadline = clock.after(deadlineMs, () => this.#late(read))
  }

  cancel(request: number): void {
    const read = this.#reads.get(request)
    if (read === undefined) return
    this.#forget(read)
    if (read.attempt === undefined) return
    const { session, handle, slowMs } = read.attempt
    const now = this.#ports.clock.now()
    if (handle.waitedMs(now) > slowMs) session.standing.late(now)
    handle.withdraw()
  }

  /** The service worker went, or made a new port: nobody waits for the answers. */
  cancelAll(): void {
    for (const request of this.#reads.keys()) this.cancel(request)
  }

  #tryNext(read: Read): void {
    const { clock, random } = this.#ports
    const { asset, section, length } = read.message
    const need = { length, rank: read.rank }
    // Nobody says which parts they have: some are asked.
    const isPart = read.index === partIndexOnWire
    const now = clock.now()
    const holders = [...this.#ports.sessions()].filter((session) => {
      if (!isPart) this.#learnMap(session, section, asset)
      return (
        !read.tried.has(session.peer) &&
        session.standing.isAvailable(now) &&
        (isPart || session.holdings?.hasChunk(section, asset, read.index)) &&
        this.#isTrusted(session, read.promptAt - now) &&
        // Asked for more than it can give in time, all of it would be late: the rest is the origin's, at once.
        now + expectedFinishMs(session, need) <= read.promptAt
      )
    })
    const session = isPart && read.tried.size >= partTries ? undefined : pickPeer(holders, need, random)
    if (session === undefined) {
      this.#miss(read, read.reason)
      return
    }
    read.tried.add(session.peer)
    const slowMs = Math.max(slowFloorMs, 2 * expectedFinishMs(session, need))
    const handle = session.downloads.ask({
      asset,
      index: read.index,
      ...need,
      done: (bytes) => {
        session.standing.succeeded()
        this.#forget(read)
        this.#ports.reply({ type: 'chunk', request: read.message.request, peer: session.peer, bytes: bytes.buffer })
      },
      failed: (reason, retryAfterMs) => this.#failed(read, session, reason, retryAfterMs),
    })
    read.attempt = { session, handle, slowMs }
  }

  #failed(read: Read, session: AskedPeer, reason: AskFailure, retryAfterMs: number): void {
    if (!this.#reads.has(read.message.request)) return
    if (reason === 'busy') session.standing.refused(retryAfterMs, this.#ports.clock.now())
    if (reason === 'absent' && read.index !== partIndexOnWire) {
      // Its list said otherwise.
      session.holdings?.forget(read.message.section, read.message.asset)
      session.standing.failed(this.#ports.clock.now())
    }
    read.reason = reason === 'stalled' ? 'late' : reason === 'closed' ? 'nobody' : 'refused'
    this.#tryNext(read)
  }

  #late(read: Read): void {
    this.#forget(read)
    this.#ports.reply({ type: 'miss', request: read.message.request, reason: 'late' })
    if (read.attempt === undefined) return
    const { session, handle, slowMs } = read.attempt
    const waitedMs = handle.waitedMs(this.#ports.clock.now())
    handle.withdraw()
    // The last of several tries, and what waited for room, had hardly any time.
    if (waitedMs >= slowMs) this.#giveUp(session)
  }

  /** Who gave nothing yet, or failed last, could keep all that is asked of it: little, or what there is time for to ask again. */
  #isTrusted(session: AskedPeer, leftMs: number): boolean {
    const { isProven, isUntried } = session.standing
    return isProven || session.queuedBytes(2) < untriedBytes || (isUntried && leftMs >= untriedMs)
  }

  /** What else it was asked for would be late, too. */
  #giveUp(session: AskedPeer): void {
    session.standing.failed(this.#ports.clock.now())
    if (session.standing.isHopeless) session.end('violation')
    else session.downloads.failAll('stalled')
  }

  /** Looks for peers that have gone silent or slow, as long as somebody waits. */
  #watch(): void {
    if (this.#isChecking || this.#reads.size === 0) return
    const { clock, sessions } = this.#ports
    this.#isChecking = true
    this.#checkedAt = clock.now()
    clock.after(stallCheckMs, () => {
      this.#isChecking = false
      const now = clock.now()
      // Were we ourselves held up, the peers' answers may wait behind this task.
      if (now - this.#checkedAt < stallCheckMs * 2) {
        for (const session of sessions()) if (session.downloads.isStalled(now)) this.#giveUp(session)
        this.#reconsider(now)
      }
      this.#watch()
    })
  }

  /**
   * A peer that turns out slower than was thought could not keep what was promised for it: what it was not asked for
   * yet goes elsewhere while there is time, the last first.
   */
  #reconsider(now: number): void {
    const behind = new Map<AskedPeer, [number, number, number]>()
    for (const read of [...this.#reads.values()].toReversed()) {
      const { attempt, rank, promptAt, message } = read
      if (attempt === undefined || attempt.handle.waitedMs(now) > 0) continue
      const bytes = behind.get(attempt.session) ?? [0, 0, 0]
      behind.set(attempt.session, bytes)
      if (now + expectedFinishMs(attempt.session, { length: -bytes[rank], rank }) <= promptAt + hesitationMs) {
        bytes[rank] += message.length
        continue
      }
      attempt.handle.withdraw()
      read.attempt = undefined
      this.#tryNext(read)
    }
  }

  #learnMap(session: AskedPeer, section: string, asset: ContentId): void {
    if (session.holdings?.wantsMap(section, asset)) session.send({ type: 'interest', asset })
  }

  #miss(read: Read, reason: MissReason): void {
    this.#forget(read)
    this.#ports.reply({ type: 'miss', request: read.message.request, reason })
  }

  #forget(read: Read): void {
    this.#reads.delete(read.message.request)
    read.cancelDeadline()
  }
}
