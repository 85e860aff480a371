import { writeFile } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measureFallback, measureSmall } from './path-alone.ts'
import { measureFirstByte } from './path-first-byte.ts'
import type { PathFigures } from './path-report.ts'
import { tableOfFigures } from './path-report.ts'
import { measureStall } from './path-stall.ts'
import { measureTransfer } from './path-transfer.ts'

/** This file runs bundled, as dist/bench/path.mjs. */
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Each takes half a minute to two minutes. @param rounds as the caller wishes, about 5 */
const parts = {
  transfer: (rounds: number) => measureTransfer(root, rounds, (line) => console.error(line)),
  first: (rounds: number) => measureFirstByte(root, rounds * 4),
  fallback: (rounds: number) => measureFallback(root, rounds),
  small: (rounds: number) => measureSmall(root, rounds * 2),
  stall: (rounds: number) => measureStall(root, Math.ceil(rounds / 2)),
} as const
type Part = keyof typeof parts

const partNames = Object.keys(parts) as Part[]

const help = `Usage: npm run bench:path -- [--part ${partNames.join('|')}] [--rounds N] [--json FILE]

Measures what the way through Nearhand costs between two Chromium processes, against a bare data channel and against
plain HTTP, measured in turns. N rounds, default 5. What each figure is: docs/benchmarks.md
`

await main()

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) return
  const figures: Partial<PathFigures> = {}
  for (const part of options.parts) {
    console.error(`part ${part}`)
    Object.assign(figures, await parts[part](options.rounds))
  }
  console.log(tableOfFigures(figures))
  if (options.json === undefined) return
  const report = { rounds: options.rounds, load: loadavg(), ...figures }
  await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`)
}

function readOptions(): { rounds: number; json: string | undefined; parts: readonly Part[] } | undefined {
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: 'string', default: '5' },
        json: { type: 'string' },
        part: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return undefined
    }
    const rounds = Number(values.rounds)
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50)
      throw new RangeError(`Cannot run ${values.rounds} rounds`)
    const chosen = partNames.filter((part) => values.part === undefined || values.part === part)
    if (chosen.length === 0) throw new TypeError(`Cannot measure ${values.part}: not a part`)
    return { rounds, json: values.json, parts: chosen }
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${help}`)
    process.exitCode = 2
    return undefined
  }
}
