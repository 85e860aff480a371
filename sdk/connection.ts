import { candidatesPerPeer, candidatesPerSignal } from '../protocol/limits.ts'
import { channelLabel } from '../protocol/peer-wire.ts'
import type { SessionDescription } from '../protocol/session-description.ts'
import { buildSdp, describeSdp, parseCandidate } from '../protocol/session-description.ts'
import type { Signal } from '../protocol/tracker-wire.ts'
import type { Clock } from './clock.ts'

export interface ConnectionPorts {
  readonly clock: Clock
  /** Whether candidates of the visitor's own network are told and taken. */
  readonly isLan: boolean
  createPeer(): RTCPeerConnection
  /** Takes the channel in the very task that made it: later it could not be transferred. */
  adopt(channel: RTCDataChannel): void
  signal(signal: Signal): void
  /** It stands. */
  opened(): void
  /** Called once, whatever ended it. */
  closed(): void
}

/** Two round trips over the tracker and six between the peers, over relays and on a busy device too. */
const dialMs = 5000
const candidateDelayMs = 5

/** One RTCPeerConnection with one channel that both sides make (RFC 8832 is not needed for it). */
export class Connection {
  readonly #ports: ConnectionPorts
  readonly #peer: RTCPeerConnection
  readonly #cancelDial: () => void
  #cancelFlush: (() => void) | undefined
  #own: string[] = []
  #ownCount = 0
  #theirs: string[] = []
  #theirCount = 0
  #hasRemote = false
  #isClosed = false

  constructor(ports: ConnectionPorts) {
    this.#ports = ports
    this.#peer = ports.createPeer()
    ports.adopt(this.#peer.createDataChannel(channelLabel, { negotiated: true, id: 0, ordered: true }))
    // Not before all that may throw: nobody would know whose connection ended.
    this.#cancelDial = ports.clock.after(dialMs, () => this.close())
    this.#peer.addEventListener('icecandidate', (event) => this.#found(event.candidate?.candidate))
    this.#peer.addEventListener('connectionstatechange', () => this.#changed())
  }

  /** Makes the offer. */
  async offer(): Promise<void> {
    await this.#guard(async () => {
      await this.#peer.setLocalDescription(await this.#peer.createOffer())
      this.#ports.signal({ type: 'offer', description: this.#describe() })
    })
  }

  /** Takes an offer and answers it. */
  async answer(description: SessionDescription): Promise<void> {
    await this.#guard(async () => {
      if (description.setup !== 'actpass') throw new Error('Cannot take offer: not actpass')
      await this.#setRemote('offer', description)
      await this.#peer.setLocalDescription(await this.#peer.createAnswer())
      this.#ports.signal({ type: 'answer', description: this.#describe() })
    })
  }

  /** Takes what the other side signals after that. */
  async accept(signal: Exclude<Signal, { type: 'offer' }>): Promise<void> {
    await this.#guard(async () => {
      if (signal.type === 'answer') {
        if (this.#hasRemote || signal.description.setup === 'actpass') throw new Error('Cannot take answer')
        await this.#setRemote('answer', signal.description)
      } else for (const text of signal.candidates) await this.#take(text)
    })
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelDial()
    this.#cancelFlush?.()
    this.#peer.close()
    this.#ports.closed()
  }

  /** Whatever the browser refuses in what the other side said ends this connection and nothing else. */
  async #guard(step: () => Promise<void>): Promise<void> {
    try {
      if (!this.#isClosed) await step()
    } catch {
      this.close()
    }
  }

  #describe(): SessionDescription {
    return describeSdp(this.#peer.localDescription?.sdp ?? '')
  }

  async #setRemote(type: 'offer' | 'answer', description: SessionDescription): Promise<void> {
    await this.#peer.setRemoteDescription({ type, sdp: buildSdp(description) })
    this.#hasRemote = true
    const waiting = this.#theirs
    this.#theirs = []
    for (const text of waiting) await this.#add(text)
  }

  async #take(text: string): Promise<void> {
    this.#theirCount += 1
    if (this.#theirCount > candidatesPerPeer) return
    if (this.#hasRemote) await this.#add(text)
    else this.#theirs.push(text)
  }

  async #add(text: string): Promise<void> {
    const candidate = this.#allowed(text)
    if (candidate !== undefined) await this.#peer.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 })
  }

  #found(text: string | undefined): void {
    const candidate = text ? this.#allowed(text) : undefined
    if (candidate === undefined || this.#isClosed || this.#ownCount >= candidatesPerPeer) return
    this.#ownCount += 1
    this.#own.push(candidate)
    // They come in bursts: one message for each would multiply the tracker's work.
    this.#cancelFlush ??= this.#ports.clock.after(candidateDelayMs, () => this.#flush())
  }

  #flush(): void {
    this.#cancelFlush = undefined
    while (this.#own.length > 0) {
      this.#ports.signal({ type: 'candidates', candidates: this.#own.splice(0, candidatesPerSignal) })
    }
  }

  /** A peer may not make us probe the visitor's own network, nor be told addresses in it, unless the site says so. */
  #allowed(text: string): string | undefined {
    const candidate = parseCandidate(text)
    return candidate && (this.#ports.isLan || !candidate.isLocal) ? candidate.text : undefined
  }

  #changed(): void {
    const state = this.#peer.connectionState
    if (state === 'failed' || state === 'closed') this.close()
    if (state !== 'connected') return
    this.#cancelDial()
    this.#ports.opened()
  }
}
