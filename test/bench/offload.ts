import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openDistantSite } from './bench-site.ts'
import { writeMediaSite } from './media-site.ts'
import type { SettingResult } from './offload-report.ts'
import { reportOf, tableOf } from './offload-report.ts'
import type { Setting, VisitRow } from './offload-visits.ts'
import { runVisits, settings } from './offload-visits.ts'
import type { LinkShape } from './shaped-link.ts'

const help = `Usage: npm run bench:offload -- [--viewers N] [--json FILE] [--setting first|later|warm|again]

Lets N viewers (2 to 32, default 2), each a Chromium of its own, arrive one after another at a page with media, over an
origin line of 20 Mbit/s and 60 ms, with and without Nearhand; viewers have 10 Mbit/s up, and 40 ms to each other. What is
measured: docs/benchmarks.md
`

const link: LinkShape = { bitsPerSecond: 20_000_000, roundTripMs: 60 }

/** This file runs bundled, as dist/bench/offload.mjs. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

await main()

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) return
  const results: SettingResult[] = []
  for (const setting of options.settings) {
    const withoutUs = await measure(setting, options.viewers, false)
    const withUs = await measure(setting, options.viewers, true)
    const result = { setting, withUs, withoutUs }
    results.push(result)
    console.log(tableOf(result))
  }
  if (options.json === undefined) return
  await writeFile(options.json, `${JSON.stringify(reportOf(options.viewers, link, results), undefined, 2)}\n`)
}

async function measure(setting: Setting, viewers: number, withUs: boolean): Promise<VisitRow[]> {
  const site = await openDistantSite({ root, withUs, write: (folder) => writeMediaSite(root, folder) }, link)
  try {
    return await runVisits(site, setting, viewers, withUs, (row) => {
      console.error(`${setting}, ${withUs ? 'with' : 'without'} us: viewer ${row.viewer} of ${viewers} has finished`)
    })
  } finally {
    await site.close()
  }
}

function readOptions(): { viewers: number; json: string | undefined; settings: readonly Setting[] } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        viewers: { type: 'string', default: '2' },
        json: { type: 'string' },
        setting: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return undefined
    }
    const viewers = Number(values.viewers)
    if (!Number.isInteger(viewers) || viewers < 2 || viewers > 32) {
      throw new RangeError(`Cannot measure ${values.viewers} viewers: from 2 to 32`)
    }
    const chosen = settings.filter((setting) => values.setting === undefined || values.setting === setting)
    if (chosen.length === 0) throw new TypeError(`Cannot measure ${values.setting}: not a setting`)
    return { viewers, json: values.json, settings: chosen }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exitCode = 2
    return undefined
  }
}
