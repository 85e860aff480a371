/// <reference lib="dom" />
/*
 * The page of this benchmark: what the tag's script is to a site's page, without tracker and service worker. The exchange
 * is the shipped worker file, the connections are of the shipped class; who meets whom and what is read, the benchmark says.
 */
import type { PeerId } from '../../../protocol/ids.ts'
import { describeSdp } from '../../../protocol/session-description.ts'
import type { StoredAsset } from '../../../protocol/store-layout.ts'
import type { Signal } from '../../../protocol/tracker-wire.ts'
import { createSystemClock } from '../../../sdk/clock.ts'
import { Connection } from '../../../sdk/connection.ts'
import { receiveBulk, sendBulk } from './page-bulk.ts'
import type { Joined, PageExchange, ReadResult } from './page-exchange.ts'
import { joinExchange, storeContent } from './page-exchange.ts'
import type { Timeline } from './timeline.ts'
import { joinTimelines } from './timeline.ts'

declare global {
  /** The benchmark carries it to the other page. */
  function tellSignal(to: PeerId, signal: Signal): Promise<void>
  // oxlint-disable-next-line no-var
  var linkPage: LinkPage
}

export class LinkPage {
  readonly #connections = new Map<PeerId, Connection>()
  readonly #bulk = new Map<PeerId, RTCDataChannel>()
  #certificate: RTCCertificate | undefined
  #exchange: PageExchange | undefined

  /** Gives the fingerprint of the page's certificate. */
  async certify(): Promise<string> {
    const algorithm: EcKeyGenParams = { name: 'ECDSA', namedCurve: 'P-256' }
    this.#certificate = await RTCPeerConnection.generateCertificate(algorithm)
    const peer = this.#createPeer()
    peer.createDataChannel('')
    const { sdp = '' } = await peer.createOffer()
    peer.close()
    return describeSdp(sdp).fingerprint
  }

  /** Gives the row of what it stored. */
  store(sizeBytes: number): Promise<StoredAsset> {
    return storeContent(sizeBytes)
  }

  async join(joined: Joined): Promise<void> {
    this.#exchange = await joinExchange(joined)
  }

  /** @param isBulk whether the channel is no exchange's */
  async meet(self: PeerId, peer: PeerId, isDial: boolean, isBulk: boolean): Promise<void> {
    const connection = new Connection({
      clock: createSystemClock(),
      isLan: true,
      createPeer: () => this.#createPeer(),
      adopt: (channel) => {
        if (isBulk) this.#bulk.set(peer, channel)
        else this.#exchange?.host.post({ type: 'channel', connection: 0, peer, self, channel }, [channel])
      },
      signal: (signal) => void tellSignal(peer, signal),
      opened: () => {},
      closed: () => {},
    })
    this.#connections.set(peer, connection)
    if (isDial) await connection.offer()
  }

  async signalled(peer: PeerId, signal: Signal): Promise<void> {
    if (signal.type !== 'candidates') {
      const { fingerprint } = signal.description
      this.#exchange?.host.post({ type: 'certificate', peer, fingerprint })
    }
    const connection = this.#connections.get(peer)
    if (signal.type === 'offer') await connection?.answer(signal.description)
    else await connection?.accept(signal)
  }

  async untilOpen(count: number): Promise<void> {
    if (this.#bulk.size === 0) return this.#exchange?.untilReady(count)
    await Promise.all([...this.#bulk.values()].map((channel) => untilChannelOpen(channel)))
  }

  async read(asset: StoredAsset, forMs: number): Promise<ReadResult> {
    if (this.#exchange === undefined) throw new Error('Cannot read: not joined')
    return this.#exchange.read(asset, forMs)
  }

  sendBulk(): void {
    for (const channel of this.#bulk.values()) sendBulk(channel)
  }

  async receiveBulk(forMs: number): Promise<Timeline> {
    return joinTimelines(await Promise.all([...this.#bulk.values()].map((channel) => receiveBulk(channel, forMs))))
  }

  #createPeer(): RTCPeerConnection {
    return new RTCPeerConnection(this.#certificate ? { certificates: [this.#certificate] } : {})
  }
}

async function untilChannelOpen(channel: RTCDataChannel): Promise<void> {
  if (channel.readyState === 'open') return
  await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }))
}

globalThis.linkPage = new LinkPage()
