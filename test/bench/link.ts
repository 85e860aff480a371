import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'rolldown'
import type { LinkCase } from './link/cases.ts'
import { linkCases, shapeCase } from './link/cases.ts'
import type { Lab } from './link/lab.ts'
import { openLab } from './link/lab.ts'
import type { LinkBrowsers } from './link/pages.ts'
import { openBrowsers } from './link/pages.ts'
import type { CaseReport, RunKind, RunRow } from './link/report.ts'
import { reportOf, rowOf, tableOf } from './link/report.ts'
import type { Timeline } from './link/timeline.ts'

const help = `Usage: npm run bench:link -- [--case NAME]... [--kind ours|tcp|bulk]... [--runs N] [--seconds N] [--json FILE]

Measures how fast one peer, and four, give a browser what it reads over emulated lines, beside TCP and beside a data channel
that is written to as fast as it takes. Runs as root on Linux with a C compiler. What is measured: docs/benchmarks.md
Cases: ${linkCases.map(({ name }) => name).join(', ')} (default: all)
`

interface Options {
  readonly cases: readonly LinkCase[]
  readonly kinds: readonly RunKind[]
  readonly runs: number
  readonly forMs: number
  readonly json: string | undefined
}

const tcpPort = 4000
const pingMs = 10
const kinds: readonly RunKind[] = ['ours', 'tcp', 'bulk']

/** This file runs bundled, as dist/bench/link.mjs. */
const built = dirname(fileURLToPath(import.meta.url))
const sources = join(dirname(dirname(built)), 'test/bench/link')

await main()

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) return
  const script = await bundle('page', 'browser')
  const tcp = await bundle('tcp', 'node')
  const senders = Math.max(...options.cases.map((one) => one.senders))
  const lab = await openLab(join(sources, 'shaper.c'), senders + 1)
  try {
    const worker = join(dirname(built), 'browser/nearhand-worker.js')
    const browsers = await openBrowsers(lab.ends, { script, worker })
    try {
      const reports = await measure(options, lab, browsers, tcp)
      console.log(tableOf(reports))
      if (options.json) await writeFile(options.json, `${JSON.stringify({ cases: reports }, undefined, 2)}\n`)
    } finally {
      await browsers.close()
    }
  } finally {
    await lab.close()
  }
}

/** The kinds take turns, so that what else the machine does meets all of them. */
async function measure(
  options: Options,
  lab: Lab,
  browsers: LinkBrowsers,
  tcp: string,
): Promise<Record<string, CaseReport>> {
  const reports: Record<string, CaseReport> = {}
  for (const linkCase of options.cases) {
    const rows: RunRow[] = []
    for (let run = 1; run <= options.runs; run += 1) {
      for (const kind of options.kinds) {
        await shapeCase(lab, linkCase, run)
        const row = await runOnce(kind, linkCase, options.forMs, lab, browsers, tcp)
        rows.push(row)
        const { bitsPerSecond, firstMegabyteMs = Infinity, queueMs, queueWorstMs, dropped, unread, misses, load } = row
        console.error(
          `${linkCase.name} ${run} ${kind}: ${(bitsPerSecond / 1e6).toFixed(1)} Mbit/s, first MiB ${Math.round(firstMegabyteMs)} ms, ` +
            `ping +${queueMs} (worst ${queueWorstMs}), ${dropped} drops, ${unread} unread, misses ${JSON.stringify(misses)}, load ${load.toFixed(1)}`,
        )
      }
    }
    reports[linkCase.name] = reportOf(linkCase, rows)
  }
  return reports
}

async function runOnce(
  kind: RunKind,
  linkCase: LinkCase,
  forMs: number,
  lab: Lab,
  browsers: LinkBrowsers,
  tcp: string,
): Promise<RunRow> {
  const begin = async (): Promise<void> => {
    await lab.begin()
    await lab.ping('end0', 'end1', pingMs)
  }
  let timeline: Timeline
  let misses: Readonly<Record<string, number>> = {}
  if (kind === 'tcp') timeline = await runTcp(lab, tcp, linkCase.senders, forMs, begin)
  else {
    const reader = await browsers.meet(linkCase.senders, kind === 'bulk')
    await begin()
    if (kind === 'bulk') timeline = await reader.receiveBulk(forMs)
    else ({ timeline, misses } = await reader.read(forMs))
  }
  return rowOf(kind, linkCase, timeline, await lab.count(), { forMs, misses, load: loadavg()[0] ?? NaN })
}

async function runTcp(
  lab: Lab,
  script: string,
  senders: number,
  forMs: number,
  begin: () => Promise<void>,
): Promise<Timeline> {
  const [reader, ...others] = lab.ends
  const serving = others.slice(0, senders)
  const servers = serving.map((end) => end.runNode([script, 'serve', String(tcpPort)]))
  try {
    await Promise.all(servers.map(async ({ stdout }) => stdout && (await once(stdout, 'data'))))
    const addresses = serving.map(({ address }) => address)
    const client = reader?.runNode([script, 'fetch', String(tcpPort), String(forMs / 1000), ...addresses])
    if (!client?.stdout) throw new Error('Cannot run TCP: no client')
    await begin()
    const [line] = (await once(createInterface({ input: client.stdout }), 'line')) as [string]
    return JSON.parse(line) as Timeline
  } finally {
    for (const server of servers) server.stdin?.end()
  }
}

async function bundle(name: string, platform: 'browser' | 'node'): Promise<string> {
  const file = join(built, `link-${name}.${platform === 'browser' ? 'js' : 'mjs'}`)
  const format = platform === 'browser' ? 'iife' : 'esm'
  await build({ input: join(sources, `${name}.ts`), platform, output: { file, format, codeSplitting: false } })
  return file
}

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        case: { type: 'string', multiple: true },
        kind: { type: 'string', multiple: true },
        runs: { type: 'string', default: '3' },
        seconds: { type: 'string', default: '8' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return undefined
    }
    const cases = linkCases.filter(({ name }) => values.case?.includes(name) ?? true)
    const chosen = kinds.filter((kind) => values.kind?.includes(kind) ?? true)
    const [runs, seconds] = [Number(values.runs), Number(values.seconds)]
    if (cases.length === 0 || chosen.length === 0) throw new TypeError('Cannot measure: no such case or kind')
    if (!Number.isInteger(runs) || runs < 1) throw new RangeError(`Cannot measure ${values.runs} times`)
    if (!(seconds >= 3 && seconds <= 120)) throw new RangeError(`Cannot measure for ${values.seconds} s: from 3 to 120`)
    return { cases, kinds: chosen, runs, forMs: seconds * 1000, json: values.json }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exitCode = 2
    return undefined
  }
}
