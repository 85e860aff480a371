import wrtc from '@roamhq/wrtc'
import type { PeerId } from '../../../protocol/ids.ts'
import { channelLabel } from '../../../protocol/peer-wire.ts'
import { buildSdp, describeSdp, parseCandidate } from '../../../protocol/session-description.ts'
import type { Signal } from '../../../protocol/tracker-wire.ts'
import type { Membership } from './tracker-membership.ts'

interface Answered {
  readonly connection: RTCPeerConnection
  /** Candidates are taken only after the offer was. */
  readonly ready: Promise<void>
}

/** Answers every offer that the tracker relays; the one data channel of each goes to `onChannel`. */
export function answerOffers(membership: Membership, onChannel: (channel: RTCDataChannel) => void): void {
  const answered = new Map<PeerId, Answered>()
  membership.onSignal = async (from, signal) => {
    if (signal.type === 'offer') {
      const connection = connect((text) => membership.signal(from, { type: 'candidates', candidates: [text] }))
      onChannel(connection.createDataChannel(channelLabel, { negotiated: true, id: 0, ordered: true }))
      const tell = (answer: Signal): void => membership.signal(from, answer)
      answered.set(from, { connection, ready: answer(connection, buildSdp(signal.description), tell) })
    }
    if (signal.type !== 'candidates') return
    const known = answered.get(from)
    await known?.ready
    for (const candidate of signal.candidates) {
      await known?.connection.addIceCandidate({ candidate, sdpMid: '0', sdpMLineIndex: 0 })
    }
  }
}

function connect(onCandidate: (text: string) => void): RTCPeerConnection {
  const connection = new wrtc.RTCPeerConnection({ iceServers: [] })
  connection.addEventListener('icecandidate', ({ candidate }) => {
    const text = candidate ? parseCandidate(candidate.candidate)?.text : undefined
    if (text !== undefined) onCandidate(text)
  })
  return connection
}

async function answer(connection: RTCPeerConnection, sdp: string, tell: (signal: Signal) => void): Promise<void> {
  await connection.setRemoteDescription({ type: 'offer', sdp })
  const answer = await connection.createAnswer()
  // Candidates come only once the description is set, so the answer is the first that the other side hears.
  tell({ type: 'answer', description: describeSdp(answer.sdp ?? '') })
  await connection.setLocalDescription(answer)
}
