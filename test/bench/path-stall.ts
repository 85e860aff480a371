import type { Page } from 'playwright-core'
import { Closers, openNeighbours, untilConnected } from './path-parts.ts'
import { filesOf } from './path-site.ts'
import { median } from './statistics.ts'

export interface StallFigures {
  /** The median. */
  readonly stallMs: number
  readonly longestStallMs: number
}

const fileBytes = 16 * 1024 * 1024

/**
 * The longest pause between two pieces of a body after the only peer that gives it is killed, as a crash kills: with
 * nobody left but an origin far away.
 */
export async function measureStall(root: string, rounds: number): Promise<StallFigures> {
  const closers = new Closers()
  try {
    const files = filesOf('large', fileBytes, rounds)
    const { visitor, addSeeder, seeders } = await openNeighbours(root, files, 1, closers)
    const stalls: number[] = []
    let [seeder] = seeders
    for (const { path } of files) {
      if (seeder === undefined) {
        seeder = await addSeeder()
        // Whom it was connected to before has been missed by now.
        await visitor.page.reload()
        await untilConnected(visitor.page, 1)
      }
      const reading = visitor.page.evaluate((wanted) => globalThis.path.read(wanted), path)
      await untilBytes(visitor.page, fileBytes / 4)
      const killedAt = await visitor.page.evaluate(() => performance.now())
      await seeder.kill()
      seeder = undefined
      stalls.push(longestPause((await reading).pieceTimes, killedAt))
    }
    return { stallMs: median(stalls), longestStallMs: Math.max(...stalls) }
  } finally {
    await closers.close()
  }
}

async function untilBytes(page: Page, bytes: number): Promise<void> {
  await page.waitForFunction((least) => globalThis.path.progress.bytes >= least, bytes, { polling: 20 })
}

function longestPause(times: readonly number[], from: number): number {
  const pauses = times.map((time, at) => time - Math.max(from, times[at - 1] ?? from))
  return Math.max(...pauses.filter((_, at) => (times[at] ?? 0) > from))
}
