import type { Page } from 'playwright-core'
import { Closers, openAlone } from './path-parts.ts'
import { filesOf, foreignPath } from './path-site.ts'
import { seed } from './seed.ts'
import type { LinkShape } from './shaped-link.ts'
import { median } from './statistics.ts'

export interface FallbackFigures {
  readonly fallbackRatio: number
  readonly fallbackMs: number
  readonly withoutUsMs: number
}

export interface SmallFigures {
  readonly notOursAddedMs: number
  readonly storedRatio: number
  readonly storedMs: number
  readonly foreignMs: number
  readonly plainMs: number
}

const link: LinkShape = { bitsPerSecond: 50_000_000, roundTripMs: 20 }
const largeBytes = 10 * 1024 * 1024
const smallBytes = 1024
/** Read in one go, before the other visitor has its turn. */
const batch = 25

/** A large asset through us where no peer is, against the same asset without us. */
export async function measureFallback(root: string, rounds: number): Promise<FallbackFigures> {
  const closers = new Closers()
  try {
    const files = filesOf('large', largeBytes, rounds + 1)
    const pages = await openAlone(root, files, closers, link)
    const times: Times = { withUs: [], withoutUs: [] }
    for (const [round, { path }] of files.entries()) {
      for (const key of inTurns(round)) {
        const [ms = Number.NaN] = await readEach(pages[key], [path])
        if (round > 0) times[key].push(ms)
      }
    }
    const ratios = times.withUs.map((ms, round) => ms / (times.withoutUs[round] ?? Number.NaN))
    return {
      fallbackRatio: median(ratios),
      fallbackMs: median(times.withUs),
      withoutUsMs: median(times.withoutUs),
    }
  } finally {
    await closers.close()
  }
}

/** Files of 1 KiB on loopback, each read once: what is not ours, and what the store holds. */
export async function measureSmall(root: string, rounds: number): Promise<SmallFigures> {
  const closers = new Closers()
  try {
    const files = filesOf('small', smallBytes, (rounds + 1) * batch).map(({ path }) => path)
    const foreign = files.map((path) => foreignPath + path)
    const all = [...files, ...foreign].map((path) => ({ path, bytes: smallBytes }))
    const pages = await openAlone(root, all, closers, undefined)
    await seed(pages.withUs, files)
    const stored: Times = { withUs: [], withoutUs: [] }
    const foreignTimes: Times = { withUs: [], withoutUs: [] }
    for (let round = 0; round <= rounds; round += 1) {
      for (const key of inTurns(round)) {
        for (const [paths, times] of [
          [files, stored],
          [foreign, foreignTimes],
        ] as const) {
          const read = await readEach(pages[key], paths.slice(round * batch, (round + 1) * batch))
          if (round > 0) times[key].push(...read)
        }
      }
    }
    return {
      notOursAddedMs: median(foreignTimes.withUs) - median(foreignTimes.withoutUs),
      storedRatio: median(stored.withUs) / median(stored.withoutUs),
      storedMs: median(stored.withUs),
      foreignMs: median(foreignTimes.withUs),
      plainMs: median(stored.withoutUs),
    }
  } finally {
    await closers.close()
  }
}

type Times = Readonly<Record<'withUs' | 'withoutUs', number[]>>

function inTurns(round: number): readonly (keyof Times)[] {
  return round % 2 === 0 ? ['withUs', 'withoutUs'] : ['withoutUs', 'withUs']
}

/** Milliseconds until the last byte of each, one after the other. */
function readEach(page: Page, paths: readonly string[]): Promise<number[]> {
  return page.evaluate(async (wanted) => {
    const times: number[] = []
    for (const path of wanted) times.push((await globalThis.path.read(path)).endMs)
    return times
  }, paths)
}
