import wrtc from '@roamhq/wrtc'
import type { PeerId } from '../../../protocol/ids.ts'
import { channelLabel } from '../../../protocol/peer-wire.ts'
import { buildSdp, describeSdp, parseCandidate } from '../../../protocol/session-description.ts'
import type { Signal } from '../../../protocol/tracker-wire.ts'
import type { Membership } from './tracker-membership.ts'

/** A connection with nobody yet. Its certificate is the one that the pass must name: this engine cannot share one. */
export interface PreparedConnection {
  readonly connection: RTCPeerConnection
  readonly channel: RTCDataChannel
  readonly fingerprint: string
}

export async function prepareConnection(): Promise<PreparedConnection> {
  const connection = new wrtc.RTCPeerConnection({ iceServers: [] })
  const channel = connection.createDataChannel(channelLabel, { negotiated: true, id: 0, ordered: true })
  const { sdp = '' } = await connection.createOffer()
  return { connection, channel, fingerprint: describeSdp(sdp).fingerprint }
}

/** Answers the first offer that the tracker relays, and no other. */
export function answerOffer(membership: Membership, { connection }: PreparedConnection): void {
  let partner: PeerId | undefined
  let ready: Promise<void> | undefined
  membership.onSignal = async (from, signal) => {
    if (signal.type === 'offer' && partner === undefined) {
      partner = from
      const tell = (told: Signal): void => membership.signal(from, told)
      connection.addEventListener('icecandidate', ({ candidate }) => {
        const text = candidate ? parseCandidate(candidate.candidate)?.text : undefined
        if (text !== undefined) tell({ type: 'candidates', candidates: [text] })
      })
      ready = answer(connection, buildSdp(signal.description), tell)
    }
    if (signal.type !== 'candidates' || from !== partner) return
    // Candidates are taken only after the offer was.
    await ready
    for (const candidate of signal.candidates) {
      await connection.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 })
    }
  }
}

async function answer(connection: RTCPeerConnection, sdp: string, tell: (signal: Signal) => void): Promise<void> {
  await connection.setRemoteDescription({ type: 'offer', sdp })
  const answer = await connection.createAnswer()
  // Candidates come only once the description is set, so the answer is the first that the other side hears.
  tell({ type: 'answer', description: describeSdp(answer.sdp ?? '') })
  await connection.setLocalDescription(answer)
}
