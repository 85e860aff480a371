import wrtc from '@roamhq/wrtc'
import type { PeerId } from '../../../protocol/ids.ts'
import { buildSdp, describeSdp, parseCandidate } from '../../../protocol/session-description.ts'
import type { Signal } from '../../../protocol/tracker-wire.ts'
import type { Membership } from './tracker-membership.ts'

/** Answers every offer that the tracker relays; each data channel that opens goes to `onChannel`. */
export class Answerer {
  readonly #membership: Membership
  readonly #onChannel: (from: PeerId, channel: RTCDataChannel) => void
  readonly #connections = new Map<PeerId, { connection: RTCPeerConnection; ready: Promise<void> }>()

  constructor(membership: Membership, onChannel: (from: PeerId, channel: RTCDataChannel) => void) {
    this.#membership = membership
    this.#onChannel = onChannel
    membership.onSignal = (from, signal) => this.#receive(from, signal)
  }

  close(): void {
    for (const { connection } of this.#connections.values()) connection.close()
    this.#membership.leave()
  }

  #receive(from: PeerId, signal: Signal): void {
    if (signal.type === 'offer') {
      const connection = this.#connect(from)
      this.#connections.set(from, { connection, ready: this.#answer(from, connection, buildSdp(signal.description)) })
    }
    if (signal.type === 'candidates') {
      const known = this.#connections.get(from)
      void known?.ready.then(async () => {
        for (const candidate of signal.candidates) {
          await known.connection.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 })
        }
      })
    }
  }

  #connect(from: PeerId): RTCPeerConnection {
    const connection = new wrtc.RTCPeerConnection({ iceServers: [] })
    connection.addEventListener('icecandidate', ({ candidate }) => {
      const text = candidate ? parseCandidate(candidate.candidate)?.text : undefined
      if (text !== undefined) this.#membership.signal(from, { type: 'candidates', candidates: [text] })
    })
    connection.addEventListener('datachannel', ({ channel }) => this.#onChannel(from, channel))
    return connection
  }

  async #answer(from: PeerId, connection: RTCPeerConnection, sdp: string): Promise<void> {
    await connection.setRemoteDescription({ type: 'offer', sdp })
    const answer = await connection.createAnswer()
    const description = describeSdp(answer.sdp ?? '')
    // Candidates come only from here on, so the answer is always the first that the other side hears.
    this.#membership.signal(from, { type: 'answer', description })
    await connection.setLocalDescription(answer)
  }
}
