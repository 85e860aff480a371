import { openNearSite } from './bench-site.ts'
import type { Device } from './device.ts'
import { Closers, openNeighbours, siteOptions } from './path-parts.ts'
import { filesOf, plainPage } from './path-site.ts'
import { processTimeMs } from './process-time.ts'
import { connectRaw, transferRaw } from './raw-channel.ts'
import { statsOf } from './seed.ts'
import { median } from './statistics.ts'

export interface TransferFigures {
  readonly throughputRatio: number
  readonly cpuRatio: number
  readonly longTaskMs: number
  readonly bytesPerSecond: number
  readonly rawBytesPerSecond: number
  readonly cpuMsPerMB: number
  readonly rawCpuMsPerMB: number
  /** Of what came, from the peer. */
  readonly peerShare: number
}

interface Sample {
  readonly ms: number
  readonly cpuMs: number
}

const transferBytes = 50_000_000

/** The same bytes from the same browser to the same other one, through us and through a bare channel, in turns. */
export async function measureTransfer(
  root: string,
  rounds: number,
  told: (line: string) => void,
): Promise<TransferFigures> {
  const closers = new Closers()
  try {
    const files = filesOf('large', transferBytes, rounds + 1)
    const { visitor, seeders } = await openNeighbours(root, files, 1, closers)
    const [seeder] = seeders
    if (seeder === undefined) throw new Error('Cannot measure: there is no peer')
    const site = closers.add(await openNearSite({ ...siteOptions(root, []), withUs: false }))
    const tabs = { sender: await seeder.context.newPage(), receiver: await visitor.context.newPage() }
    for (const tab of Object.values(tabs)) await tab.goto(site.url + plainPage)
    await connectRaw(tabs.sender, tabs.receiver)
    const before = (await statsOf(visitor.page)).bytes
    const devices = [visitor, seeder]
    const ours: Sample[] = []
    const raws: Sample[] = []
    let longTaskMs = 0
    for (const [round, { path }] of files.entries()) {
      const raw = () => sampled(devices, () => transferRaw(tabs.sender, tabs.receiver, transferBytes))
      const early = round % 2 === 0 ? await raw() : undefined
      for (const { page } of devices) await page.evaluate(() => globalThis.path.longestTaskMs())
      const our = await sampled(devices, () => visitor.page.evaluate(readAll, path))
      for (const { page } of devices) {
        longTaskMs = Math.max(longTaskMs, await page.evaluate(() => globalThis.path.longestTaskMs()))
      }
      const bare = early ?? (await raw())
      told(`through us ${describe(our)}, raw channel ${describe(bare)}${round === 0 ? ' (not counted)' : ''}`)
      if (round === 0) continue
      ours.push(our)
      raws.push(bare)
    }
    const after = (await statsOf(visitor.page)).bytes
    const peers = after.peers - before.peers
    return { ...figuresOf(ours, raws), longTaskMs, peerShare: peers / (peers + after.origin - before.origin) }
  } finally {
    await closers.close()
  }
}

async function readAll(path: string): Promise<number> {
  return (await globalThis.path.read(path)).endMs
}

/** What the browsers still do right after the last byte, storing it for one, is part of the price. */
const afterMs = 300

async function sampled(devices: readonly Device[], transfer: () => Promise<number>): Promise<Sample> {
  const pids = devices.map(({ pid }) => pid)
  const beforeMs = await processTimeMs(pids)
  const ms = await transfer()
  await new Promise((resolve) => setTimeout(resolve, afterMs))
  return { ms, cpuMs: (await processTimeMs(pids)) - beforeMs }
}

function figuresOf(
  ours: readonly Sample[],
  raws: readonly Sample[],
): Omit<TransferFigures, 'longTaskMs' | 'peerShare'> {
  const ratio = (key: keyof Sample): number =>
    median(ours.map((our, round) => our[key] / (raws[round]?.[key] ?? Number.NaN)))
  const rate = (samples: readonly Sample[]): number => (transferBytes / median(samples.map(({ ms }) => ms))) * 1000
  const cpu = (samples: readonly Sample[]): number => median(samples.map(({ cpuMs }) => cpuMs)) / (transferBytes / 1e6)
  return {
    throughputRatio: 1 / ratio('ms'),
    cpuRatio: ratio('cpuMs'),
    bytesPerSecond: rate(ours),
    rawBytesPerSecond: rate(raws),
    cpuMsPerMB: cpu(ours),
    rawCpuMsPerMB: cpu(raws),
  }
}

function describe({ ms, cpuMs }: Sample): string {
  const megabytes = transferBytes / 1e6
  return `${((megabytes / ms) * 1000).toFixed(1)} MB/s, ${(cpuMs / megabytes).toFixed(0)} ms CPU per MB`
}
