import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { swarmProof } from '../../../protocol/peer-wire.ts'
import type { Deeds } from './hostile-peer.ts'
import { HostilePeer } from './hostile-peer.ts'
import type { Misdeed } from './misdeeds.ts'
import { prepareConnection } from './node-connection.ts'
import { fetchJoin, joinTracker } from './tracker-membership.ts'

export interface HostileOrders {
  /** Of the site, `http://host:port`. */
  readonly origin: string
  readonly folder: string
  /** The files of the folder that it holds, as paths of the site. */
  readonly paths: readonly string[]
  readonly misdeed: Misdeed
  /** Shows peers a pass of another visitor, in the place of its own. */
  readonly isThief: boolean
}

// Entry of the process of one hostile peer. It says its deeds when it joined, after each one, and whenever it is asked:
// its engine may crash between two of them.
const orders = JSON.parse(process.argv[2] ?? '') as HostileOrders
const assets = new Map<string, Uint8Array>()
for (const path of orders.paths) assets.set(path, await readFile(join(orders.folder, path)))
const tell = (deeds: Deeds): void => {
  process.send?.({ deeds, isAnswer: false })
}
const connection = await prepareConnection()
const membership = await joinTracker(orders.origin, connection.fingerprint)
const { pass } = orders.isThief ? await fetchJoin(orders.origin, '0b'.repeat(32)) : membership
const proofs = await Promise.all(membership.swarms.map((swarm) => swarmProof(swarm, membership.peer)))
const peer = new HostilePeer({ membership, connection, pass, proofs }, assets, orders.misdeed, tell)
tell(peer.deeds)
process.on('message', () => process.send?.({ deeds: peer.deeds, isAnswer: true }))
