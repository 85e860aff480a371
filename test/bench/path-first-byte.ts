import type { Device } from './device.ts'
import { Closers, openNeighbours } from './path-parts.ts'
import type { PathFile } from './path-site.ts'
import { filesOf } from './path-site.ts'
import { statsOf } from './seed.ts'
import { median } from './statistics.ts'

export interface FirstByteFigures {
  readonly firstByteMs: number
  readonly afterStopMs: number
  /** Of the bytes of each, those from the peer. */
  readonly firstBytePeerShare: number
  readonly afterStopPeerShare: number
}

const fileBytes = 256 * 1024

/** From a page's request to the first verified byte, of a peer that is connected and holds it. */
export async function measureFirstByte(root: string, rounds: number): Promise<FirstByteFigures> {
  const closers = new Closers()
  try {
    const files = filesOf('middle', fileBytes, rounds * 2 + 1)
    const { visitor } = await openNeighbours(root, files, 1, closers)
    await readFirst(visitor, files.slice(0, 1), () => {})
    const warm = await readFirst(visitor, files.slice(1, rounds + 1), () => {})
    const stopped = await readFirst(visitor, files.slice(rounds + 1), () => visitor.stopServiceWorkers())
    return {
      firstByteMs: warm.firstByteMs,
      afterStopMs: stopped.firstByteMs,
      firstBytePeerShare: warm.peerShare,
      afterStopPeerShare: stopped.peerShare,
    }
  } finally {
    await closers.close()
  }
}

async function readFirst(
  { page }: Device,
  files: readonly PathFile[],
  prepare: () => Promise<void> | void,
): Promise<{ readonly firstByteMs: number; readonly peerShare: number }> {
  const times: number[] = []
  const sum = { peers: 0, all: 0 }
  for (const { path } of files) {
    const before = (await statsOf(page)).bytes
    await prepare()
    const { firstByteMs } = await page.evaluate((wanted) => globalThis.path.read(wanted), path)
    times.push(firstByteMs)
    const after = (await statsOf(page)).bytes
    sum.peers += after.peers - before.peers
    sum.all += after.peers + after.origin - before.peers - before.origin
  }
  return { firstByteMs: median(times), peerShare: sum.peers / sum.all }
}
