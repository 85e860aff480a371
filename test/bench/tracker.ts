import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Roster } from '../../origin/roster.ts'
import { announceAll, connectAll, measureAnswers } from './tracker-load.ts'
import type { ServerReport, TrackerName } from './tracker-server.ts'
import { serveTracker } from './tracker-server.ts'

const help = `Usage: npm run bench:tracker -- [--rounds N] [--json FILE]

Runs the tracker of the npm package bittorrent-tracker and ours in turn, each in a process on one core, with the same
load from the other core over loopback. What is measured: docs/benchmarks.md
`

const peers = 10_000
const active = 5000
const announces = 20_000
const offerAnnounces = 8000
const offersEach = 5
const answerRounds = 90 // a connection of ours may make a hundred offers at once

interface Measured {
  /** Announces in a second of the server's processor time, without and with five offers. */
  readonly announceRate: number
  readonly offerRate: number
  /** Memory of an idle peer, in bytes. */
  readonly peerBytes: number
  /** Processor time of one connection with its first announce, in microseconds. */
  readonly joinMicros: number
  readonly answerMs: readonly number[]
}

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
      serve: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.serve === 'nearhand' || values.serve === 'bittorrent-tracker') return serveTracker(values.serve)
  const rounds = Number(values.rounds)
  if (values.help || !Number.isSafeInteger(rounds) || rounds < 1) return console.log(help)
  const ours: Measured[] = []
  const theirs: Measured[] = []
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`round ${round} of ${rounds}`)
    theirs.push(await measure('bittorrent-tracker'))
    ours.push(await measure('nearhand'))
  }
  const report = reportOf(ours, theirs)
  console.log(tableOf(report))
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
  process.exit()
}

async function measure(name: TrackerName): Promise<Measured> {
  const server = spawn(
    'taskset',
    ['-c', '0', process.execPath, '--expose-gc', fileURLToPath(import.meta.url), '--serve', name],
    {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // The optional native helper of ws comes with one of the two: neither is to have it.
      env: { ...process.env, WS_NO_BUFFER_UTIL: '1', WS_NO_UTF_8_VALIDATE: '1' },
    },
  )
  try {
    const [port] = (await once(server, 'message')) as [number]
    const idle = await reportFrom(server)
    const clients = await connectAll(port, peers)
    const joined = await reportFrom(server)
    const busy = clients.slice(0, active)
    // What is compiled while it runs is compiled before it counts.
    await announceAll(busy, announces / 4, 0)
    const warm = await reportFrom(server)
    await announceAll(busy, announces, 0)
    const announced = await reportFrom(server)
    await announceAll(busy, offerAnnounces, offersEach)
    const offered = await reportFrom(server)
    const answerMs = await measureAnswers(port, answerRounds)
    for (const { socket } of clients) socket.terminate()
    return {
      announceRate: announces / ((announced.cpuMs - warm.cpuMs) / 1000),
      offerRate: offerAnnounces / ((offered.cpuMs - announced.cpuMs) / 1000),
      peerBytes: (joined.rssBytes - idle.rssBytes) / peers,
      joinMicros: ((joined.cpuMs - idle.cpuMs) / peers) * 1000,
      answerMs,
    }
  } finally {
    server.kill()
    await once(server, 'exit')
  }
}

async function reportFrom(server: ChildProcess): Promise<ServerReport> {
  server.send('report')
  const [report] = (await once(server, 'message')) as [ServerReport]
  return report
}

function reportOf(ours: readonly Measured[], theirs: readonly Measured[]) {
  const of = (runs: readonly Measured[]) => ({
    announceRate: median(runs.map(({ announceRate }) => announceRate)),
    offerRate: median(runs.map(({ offerRate }) => offerRate)),
    peerBytes: median(runs.map(({ peerBytes }) => peerBytes)),
    joinMicros: median(runs.map(({ joinMicros }) => joinMicros)),
    answerP50Ms: quantile(
      runs.flatMap(({ answerMs }) => answerMs),
      0.5,
    ),
    answerP99Ms: quantile(
      runs.flatMap(({ answerMs }) => answerMs),
      0.99,
    ),
  })
  const [us, them] = [of(ours), of(theirs)]
  return {
    announceRatio: us.announceRate / them.announceRate,
    offerRatio: us.offerRate / them.offerRate,
    memoryRatio: us.peerBytes / them.peerBytes,
    joinRatio: us.joinMicros / them.joinMicros,
    answerP50Ms: us.answerP50Ms,
    answerP99Ms: us.answerP99Ms,
    matchMicros: { 1e3: matchMicros(1e3), 1e5: matchMicros(1e5), 1e6: matchMicros(1e6) },
    nearhand: us,
    bittorrentTracker: them,
  }
}

/** Picking five of a swarm of so many, one after the other from anywhere in it. */
function matchMicros(size: number): number {
  const roster = new Roster<{ load: number }>()
  const seats = Array.from({ length: size }, () => {
    const subnet = Math.floor((Math.random() * size) / 3)
    return roster.add({ load: 0 }, { subnet: `${subnet}`, network: 1 + (subnet % 5000), country: 1 + (subnet % 100) })
  })
  const picks = 100_000
  const pickMany = (): void => {
    for (let turn = 0; turn < picks; turn += 1) {
      const seat = seats[Math.floor(Math.random() * size)]
      if (seat === undefined) continue
      const options = {
        count: 5,
        mayPick: () => true,
        loadOf: (peer: { load: number }) => peer.load,
        random: Math.random,
      }
      for (const peer of roster.pick(seat, options)) peer.load += 1
    }
  }
  pickMany()
  const start = performance.now()
  pickMany()
  return ((performance.now() - start) / picks) * 1000
}

function tableOf({ nearhand, bittorrentTracker, ...report }: ReturnType<typeof reportOf>): string {
  const row = (name: string, ours: number, theirs: number, ratio: number, goal: string): string =>
    [
      name.padEnd(34),
      ours.toFixed(1).padStart(12),
      theirs.toFixed(1).padStart(20),
      ratio.toFixed(2).padStart(7),
      goal,
    ].join('  ')
  const [us, them] = [nearhand, bittorrentTracker]
  return [
    `${''.padEnd(34)}      nearhand    bittorrent-tracker    ratio  goal`,
    row('announces / CPU second', us.announceRate, them.announceRate, report.announceRatio, '>= 1.5'),
    row('announces with 5 offers / CPU s', us.offerRate, them.offerRate, report.offerRatio, '>= 1.4'),
    row('bytes of an idle peer', us.peerBytes, them.peerBytes, report.memoryRatio, '<= 0.9'),
    row('CPU us of a join', us.joinMicros, them.joinMicros, report.joinRatio, '<= 0.8'),
    row('offer -> answer p50, ms', us.answerP50Ms, them.answerP50Ms, us.answerP50Ms / them.answerP50Ms, ''),
    row('offer -> answer p99, ms', us.answerP99Ms, them.answerP99Ms, us.answerP99Ms / them.answerP99Ms, ''),
    ...Object.entries(report.matchMicros).map(
      ([size, micros]) =>
        `matching 5 of ${size}, us`.padEnd(34) +
        micros.toFixed(2).padStart(14) +
        (size === '1000000' ? ' (goal <= 6)' : ''),
    ),
  ].join('\n')
}

function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
