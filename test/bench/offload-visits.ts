import type { Stats } from '../browser/harness/visitor.ts'
import type { DistantSite } from './bench-site.ts'
import { openDevice } from './device.ts'
import { pages } from './media-site.ts'
import type { UplinkShape } from './peer-lines.ts'
import { openPeerLines } from './peer-lines.ts'
import { untilQuiet } from './until-quiet.ts'
import type { Viewer } from './viewer.ts'
import { viewerOn } from './viewer.ts'

/**
 * `first`: nothing of the site was ever on the device. `later`: its worker is, none of these assets, and connecting
 * starts with the page. `warm`: controlled and connected before the assets are asked for. `again`: the very page was
 * visited before.
 */
export const settings = ['first', 'later', 'warm', 'again'] as const
export type Setting = (typeof settings)[number]

/** What one viewer's visit cost, all in bytes but the time. */
export interface VisitRow {
  readonly viewer: number
  /** Bodies that the origin sent in this visit, ours included. */
  readonly originBytes: number
  /** Of these, the manifest's and our scripts'. */
  readonly ownFilesBytes: number
  /** Everything that the origin's line carried down: bodies, headers, signalling. */
  readonly lineBytes: number
  readonly peerBytes: number
  readonly storeBytes: number
  readonly duplicateBytes: number
  readonly fallbacks: number
  readonly badChunks: number
  readonly finishedMs: number
}

export const homeUplink: UplinkShape = { bitsPerSecond: 10_000_000, delayMs: 20, queueBytes: 128 * 1024 }
const quietMs = 1000
const none: Omit<Stats, 'bannedPeers' | 'uploadedBytes' | 'peers'> = {
  bytes: { store: 0, peers: 0, origin: 0 },
  duplicateBytes: 0,
  prefetchedBytes: { peers: 0, origin: 0 },
  requests: 0,
  fallbacks: 0,
  badChunks: 0,
}

/** Lets viewers come one after another. Each stays, as one who reads on would, until the last one has finished. */
export async function runVisits(
  site: DistantSite,
  setting: Setting,
  viewers: number,
  withUs: boolean,
  told: (row: VisitRow) => void,
): Promise<VisitRow[]> {
  const lines = openPeerLines()
  const open: Viewer[] = []
  const rows: VisitRow[] = []
  try {
    for (let number = 1; number <= viewers; number += 1) {
      const device = await openDevice()
      const viewer = viewerOn(device)
      open.push(viewer)
      if (withUs) await lines.attach(device.context, { shape: homeUplink })
      await prepare(site, viewer, setting, withUs, number > 1)
      await untilQuiet(site.link, quietMs)
      const row = await visit(site, viewer, setting, number)
      rows.push(row)
      told(row)
    }
  } finally {
    await Promise.all(open.map((viewer) => viewer.close()))
    lines.close()
  }
  return rows
}

async function prepare(
  site: DistantSite,
  viewer: Viewer,
  setting: Setting,
  withUs: boolean,
  hasNeighbours: boolean,
): Promise<void> {
  if (setting === 'first') return
  await viewer.open(site.url + (setting === 'warm' ? pages.inserted : pages.start))
  if (withUs) await viewer.untilControlled()
  if (setting === 'again') {
    await viewer.open(site.url + pages.media)
    await viewer.finished()
    await untilQuiet(site.link, quietMs)
    await viewer.open(site.url + pages.start)
  }
  if (!withUs) return
  if (setting === 'warm' && hasNeighbours) await viewer.untilConnected()
}

async function visit(site: DistantSite, viewer: Viewer, setting: Setting, number: number): Promise<VisitRow> {
  const before = {
    bytes: site.count.bytes,
    line: site.link.downBytes(),
    totals: (setting === 'first' ? none : await viewer.totals()) ?? none,
  }
  if (setting !== 'warm') await viewer.open(site.url + pages.media)
  const finishedMs = await (setting === 'warm' ? viewer.insert() : viewer.finished())
  await untilQuiet(site.link, quietMs)
  const totals = (await viewer.totals()) ?? none
  const ours = site.count.bytes.ours - before.bytes.ours
  return {
    viewer: number,
    originBytes: site.count.bytes.site - before.bytes.site + ours,
    ownFilesBytes: ours,
    lineBytes: site.link.downBytes() - before.line,
    peerBytes: totals.bytes.peers - before.totals.bytes.peers,
    storeBytes: totals.bytes.store - before.totals.bytes.store,
    duplicateBytes: totals.duplicateBytes - before.totals.duplicateBytes,
    fallbacks: totals.fallbacks - before.totals.fallbacks,
    badChunks: totals.badChunks - before.totals.badChunks,
    finishedMs: Math.round(finishedMs),
  }
}
