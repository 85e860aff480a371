import { WebSocket } from 'ws'
import type { PeerId, SwarmId } from '../../../protocol/ids.ts'
import type { JoinResponse } from '../../../protocol/join.ts'
import { joinFile, parseJoinResponse, trackerFile } from '../../../protocol/join.ts'
import { manifestFolder } from '../../../protocol/manifest.ts'
import type { FromTracker, Signal, ToTracker } from '../../../protocol/tracker-wire.ts'
import { parseFromTracker, trackerWireVersion } from '../../../protocol/tracker-wire.ts'

/** A place in the site's swarms, got as any client gets it. */
export interface Membership {
  readonly peer: PeerId
  readonly swarms: readonly SwarmId[]
  readonly pass: string
  onSignal: (from: PeerId, signal: Signal) => Promise<void> | void
  signal(to: PeerId, signal: Signal): void
}

/** Asks the origin for a place, with the certificate of this fingerprint. */
export async function fetchJoin(origin: string, fingerprint: string): Promise<JoinResponse> {
  const body = JSON.stringify({ fingerprint })
  const response = await fetch(`${origin}/${manifestFolder}/${joinFile}`, { method: 'POST', body, headers: { origin } })
  if (!response.ok) throw new Error(`Cannot join: the origin answered ${response.status}`)
  return parseJoinResponse(await response.text())
}

export async function joinTracker(origin: string, fingerprint: string): Promise<Membership> {
  const folder = `${origin}/${manifestFolder}`
  const { pass, ...join } = await fetchJoin(origin, fingerprint)
  const swarms = join.swarms.map(({ swarm }) => swarm)
  const socket = new WebSocket(`${folder.replace('http', 'ws')}/${trackerFile}`, { headers: { origin } })
  const send = (message: ToTracker): void => socket.send(JSON.stringify(message))
  return new Promise((resolve, reject) => {
    let membership: Membership | undefined
    socket.on('error', reject)
    socket.on('close', () => reject(new Error('Cannot join: the tracker closed the socket')))
    socket.on('open', () => send({ type: 'join', version: trackerWireVersion, swarms, pass }))
    socket.on('message', (bytes: Buffer) => {
      const message: FromTracker = parseFromTracker(bytes.toString())
      if (message.type === 'fault') reject(new Error(`Cannot join: ${message.fault}`))
      if (message.type === 'signal') void membership?.onSignal(message.from, message.signal)
      if (message.type !== 'welcome') return
      membership = {
        peer: message.peer,
        swarms,
        pass,
        onSignal: () => {},
        signal: (to, signal) => send({ type: 'signal', to, signal }),
      }
      resolve(membership)
    })
  })
}
