import type { ExchangeToWorker, WorkerToExchange } from '../../protocol/bridge.ts'
import type { Asset } from '../../protocol/chunks.ts'
import { chunkCount, chunkLength, chunkSizeFor } from '../../protocol/chunks.ts'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import { createSystemClock } from '../../sdk/clock.ts'
import { Reads } from '../../sdk/reads.ts'
import { Hedges } from '../../sw/hedge.ts'
import { OriginPace } from '../../sw/origin-pace.ts'
import { OriginSource } from '../../sw/origin-source.ts'
import { PageBridge } from '../../sw/page-bridge.ts'
import { PeerSource } from '../../sw/peer-source.ts'
import { RaceSource } from '../../sw/race-source.ts'
import { respond } from '../../sw/respond.ts'
import type { CheckedChunk } from '../../sw/sources.ts'
import type { VerifiedBytes } from '../../sw/verify.ts'
import { urgencyOf } from '../../sw/urgency.ts'
import { wireShareOf } from '../../sw/wire-share.ts'
import { seededRandom } from './seeded-random.ts'
import type { OriginShape } from './sim-origin.ts'
import { SimOrigin } from './sim-origin.ts'
import type { PeerShape } from './sim-peer.ts'
import { SimPeer } from './sim-peer.ts'

/** A request of the page. */
export interface SimRequest {
  readonly destination: RequestDestination
  readonly size: number
  readonly type: string
  /** After the visit's begin. */
  readonly atMs?: number
}

export interface VisitResult {
  /** Until every response was there. */
  readonly finishedMs: number
  /** The longest that any response stood still after its first byte. */
  readonly stallMs: number
  readonly originBytes: number
  readonly peerBytes: number
  /** Sent by anybody and not needed. */
  readonly wasteBytes: number
  /** What the origin sends of it without us. */
  readonly pageBytes: number
}

const now = (): number => performance.now()
const shareOf = (type: string): number => wireShareOf({ headers: [['content-type', type]] })

/** The same requests with no worker between page and origin. */
export async function visitWithoutUs(requests: readonly SimRequest[], shape: OriginShape): Promise<number> {
  const origin = new SimOrigin(shape)
  const begin = now()
  await Promise.all(
    requests.map(async ({ size, type, atMs = 0 }) => {
      await pause(atMs)
      await readOn(await origin.fetch(size, shareOf(type), undefined))
    }),
  )
  return now() - begin
}

/** A visit through the shipped scheduler, from the response down to the peers' upload side. */
export async function visitWithUs(
  requests: readonly SimRequest[],
  shape: OriginShape,
  peerShapes: readonly PeerShape[],
  seed = 1,
): Promise<VisitResult> {
  const device = new SimDevice(shape, peerShapes, seed)
  const begin = now()
  const stalls = await Promise.all(requests.map((request, number) => device.load(request, number)))
  const finishedMs = now() - begin
  const pageBytes = requests.reduce((sum, { size, type }) => sum + size * shareOf(type), 0)
  const sentBytes = device.origin.sentBytes + device.peers.reduce((sum, peer) => sum + peer.sentBytes, 0)
  return {
    finishedMs,
    stallMs: Math.max(...stalls),
    originBytes: device.origin.sentBytes,
    peerBytes: device.peerBytes,
    wasteBytes: sentBytes - device.usedBytes,
    pageBytes,
  }
}

class SimDevice {
  readonly origin: SimOrigin
  readonly peers: readonly SimPeer[]
  peerBytes = 0
  usedBytes = 0
  readonly #bridge: PageBridge
  readonly #parts: { readonly pace: OriginPace; readonly hedges: Hedges }

  constructor(shape: OriginShape, peerShapes: readonly PeerShape[], seed: number) {
    this.origin = new SimOrigin(shape)
    const chunkBytes = 262_144
    this.peers = peerShapes.map((peer, number) => new SimPeer(number, peer, () => chunkBytes))
    this.#parts = { pace: new OriginPace(now), hedges: new Hedges() }
    this.#bridge = new PageBridge({
      now,
      askRelink: () => {},
      loadLinkedAt: () => Promise.resolve(undefined),
      saveLinkedAt: () => {},
      onDuplicate: () => {},
      onHeard: () => {},
      onPass: () => {},
      onHolders: () => {},
      untilFree: () => new Promise(() => {}),
    })
    this.#link(seed)
  }

  /** The longest pause in its body. */
  async load({ destination, size, type, atMs = 0 }: SimRequest, number: number): Promise<number> {
    await pause(atMs)
    const id = contentIdOfDigest(new Uint8Array(32).fill(number))
    const headers = [['content-type', type]] as const
    const asset: Asset = { path: `/${number}`, section: '/', id, size, chunkSize: chunkSizeFor(size), headers }
    const { signal } = new AbortController()
    const options = { ...this.#parts, asset, now, bridge: this.#bridge, mayUsePeers: () => true }
    const peers = new PeerSource(options)
    await peers.find(signal)
    const fetch = (headers: Readonly<Record<string, string>>, stop: AbortSignal): Promise<Response> =>
      this.origin.fetch(size, shareOf(type), headers['range'], stop)
    const end = chunkCount(size, asset.chunkSize)
    const runEnd = (): number | undefined => (peers.isPromising && shareOf(type) === 1 ? undefined : end)
    const own = new OriginSource({ asset, pace: this.#parts.pace, runEnd, fetch, onChanged: () => {} }, signal)
    const urgency = urgencyOf({ destination, headers: new Headers() }, asset)
    const race = new RaceSource({ ...options, peers, own, urgencyOf: urgency, start: 0 }, signal)
    const read = async (index: number): Promise<CheckedChunk> => this.#read(asset, race, own, index, signal)
    const feed = { chunkSize: asset.chunkSize, read, need: race.need.bind(race), begin: () => {}, end: () => {} }
    const plan = { status: 200 as const, headers: [], body: { start: 0, end: size } }
    return readOn(await respond(plan, plan.body, feed, () => {}))
  }

  /** As `readVerified` does, but what a liar gives is seen by its first byte. */
  async #read(
    asset: Asset,
    race: RaceSource,
    own: OriginSource,
    index: number,
    signal: AbortSignal,
  ): Promise<CheckedChunk> {
    const length = chunkLength(asset.size, asset.chunkSize, index)
    const chunk = { index, offset: index * asset.chunkSize, length, digest: new Uint8Array(32) }
    let delivery = await race.read(chunk)
    if (delivery?.bytes[0] === 1) {
      delivery.refuse()
      delivery = await race.readAfterLie(chunk, signal)
    }
    if (delivery === undefined) throw new Error(`Cannot read chunk ${index}: nobody has it`)
    this.usedBytes += delivery.peer ? length : length * wireShareOf(asset)
    if (delivery.peer) this.peerBytes += length
    own.passed(index)
    const source = delivery.peer ? 'peer' : 'origin'
    return { chunk, bytes: delivery.bytes as VerifiedBytes, source, peer: delivery.peer }
  }

  #link(seed: number): void {
    let hear: (message: unknown) => void = () => {}
    const reads = new Reads({
      clock: createSystemClock(),
      random: seededRandom(seed),
      sessions: () => this.peers.filter((peer) => peer.isThere),
      reply: (message: ExchangeToWorker) => setTimeout(() => hear(message), 0),
    })
    const take = (message: WorkerToExchange): void => {
      if (message.type === 'find') reads.find(message)
      if (message.type === 'read') reads.read(message)
      if (message.type === 'hurry') reads.hurry(message)
      if (message.type === 'cancel') reads.cancel(message.request)
      if (message.type === 'blame') this.peers.find(({ peer }) => peer === message.peer)?.end()
    }
    const port = {
      listen: (listener: typeof hear) => (hear = listener),
      post: (message: WorkerToExchange) => setTimeout(() => take(message), 0),
      close: () => {},
    }
    this.#bridge.link(port, 'page')
  }
}

/** Reads a body to its end; the longest pause in it. */
async function readOn(response: Response): Promise<number> {
  const reader = response.body?.getReader()
  let longestMs = 0
  for (let last = now(); ; last = now()) {
    const read = await reader?.read()
    if (read === undefined || read.done) return longestMs
    longestMs = Math.max(longestMs, now() - last)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
