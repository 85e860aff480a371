import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Browser } from 'playwright-core'
import type { DistantSite } from './bench-site.ts'
import { openDistantSite } from './bench-site.ts'
import { openSharedBrowser } from './device.ts'
import type { PeerLines } from './peer-lines.ts'
import { openPeerLines } from './peer-lines.ts'
import type { LinkShape } from './shaped-link.ts'
import type { CaseName, Peers } from './slow-peers.ts'
import { caseNames, openPeers, serveLiars } from './slow-peers.ts'
import type { CaseReport, Run } from './slow-report.ts'
import { reportOfCase, tableOfCases } from './slow-report.ts'
import { setBytes, writeSlowSite } from './slow-site.ts'
import { loadKinds, visitWithoutUs, visitWithUs } from './slow-visits.ts'

const help = `Usage: npm run bench:slow -- [--case ${caseNames.join('|')}] [--runs N] [--json FILE]

Loads pages with and without Nearhand, one after the other, over an origin line of 20 Mbit/s and 60 ms, where two peers are
good, slow, dead or lying, or there are none. N visits (default 20) of three page loads each, a case takes about 8
seconds for each of them. What is measured: docs/benchmarks.md
`

const link: LinkShape = { bitsPerSecond: 20_000_000, roundTripMs: 60 }
/** While peers fill their stores. */
const fastLink: LinkShape = { bitsPerSecond: 1_000_000_000, roundTripMs: 0 }

/** This file runs bundled, as dist/bench/slow.mjs. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

interface Scene {
  readonly browser: Browser
  readonly withUs: DistantSite
  readonly withoutUs: DistantSite
  readonly lines: PeerLines
  readonly peers: Peers
}

await main()

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) return
  const cases = new Map<CaseName, CaseReport>()
  for (const name of options.cases) {
    cases.set(name, reportOfCase(await measure(name, options.runs)))
    console.error(
      `load average ${loadavg()
        .map((load) => load.toFixed(1))
        .join(' ')}`,
    )
  }
  console.log(tableOfCases(cases))
  if (options.json === undefined) return
  const report = { runs: options.runs, link, load: loadavg(), cases: Object.fromEntries(cases) }
  await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
}

async function measure(name: CaseName, count: number): Promise<Run[]> {
  const sets = count * loadKinds.length
  const storeLimitBytes = (sets + 1) * setBytes * 2
  const site = { root, write: (folder: string) => writeSlowSite(folder, sets), origin: { storeLimitBytes } }
  const closers: (() => Promise<void> | void)[] = []
  try {
    const withUs = await openDistantSite({ ...site, withUs: true, middleware: serveLiars }, fastLink)
    closers.push(() => withUs.close())
    const withoutUs = await openDistantSite({ ...site, withUs: false }, link)
    closers.push(() => withoutUs.close())
    const lines = openPeerLines()
    closers.push(() => lines.close())
    const peers = await openPeers(name, withUs, lines, sets)
    closers.push(() => peers.close())
    withUs.link.shape = link
    const browser = await openSharedBrowser()
    closers.push(() => browser.close())
    return await runAll({ browser, withUs, withoutUs, lines, peers }, name, count)
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}

async function runAll(scene: Scene, name: CaseName, count: number): Promise<Run[]> {
  const runs: Run[] = []
  for (let run = 0; run < count; run += 1) {
    // What comes first may have the machine in another state: they take turns.
    const before = run % 2 === 0 ? undefined : await withoutUs(scene, run)
    const withUs = await visitWithUs(scene.browser, scene.withUs, scene.lines, scene.peers, run)
    const pair = { withUs, withoutUs: before ?? (await withoutUs(scene, run)) }
    runs.push(pair)
    const told = loadKinds.map((kind) => `${kind} ${Math.round(pair.withUs[kind])}/${Math.round(pair.withoutUs[kind])}`)
    console.error(`${name} peers, visit ${run + 1} of ${count}, ms with us/without: ${told.join(', ')}`)
  }
  return runs
}

function withoutUs({ browser, withoutUs: site }: Scene, run: number): ReturnType<typeof visitWithoutUs> {
  return visitWithoutUs(browser, site, run)
}

function readOptions(): { runs: number; json: string | undefined; cases: readonly CaseName[] } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: 'string', default: '20' },
        json: { type: 'string' },
        case: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return undefined
    }
    const runs = Number(values.runs)
    if (!Number.isInteger(runs) || runs < 1 || runs > 200) throw new RangeError(`Cannot run ${values.runs} times`)
    const cases = caseNames.filter((name) => values.case === undefined || values.case === name)
    if (cases.length === 0) throw new TypeError(`Cannot measure ${values.case}: not a case`)
    return { runs, json: values.json, cases }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exitCode = 2
    return undefined
  }
}
