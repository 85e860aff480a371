import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { HostilePeer } from './hostile-peer.ts'
import type { Misdeed } from './misdeeds.ts'
import { joinTracker } from './tracker-membership.ts'

export interface HostileOrders {
  /** Of the site, `http://host:port`. */
  readonly origin: string
  readonly folder: string
  /** The files of the folder that it holds, as paths of the site. */
  readonly paths: readonly string[]
  readonly misdeed: Misdeed
}

// Entry of the process of one hostile peer. It says its deeds once when it joined, and again whenever it is asked.
const orders = JSON.parse(process.argv[2] ?? '') as HostileOrders
const assets = new Map<string, Uint8Array>()
for (const path of orders.paths) assets.set(path, await readFile(join(orders.folder, path)))
const peer = new HostilePeer(await joinTracker(orders.origin), assets, orders.misdeed)
process.send?.(peer.deeds)
process.on('message', () => process.send?.(peer.deeds))
