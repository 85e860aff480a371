// `npm run fuzz [-- --runs N] [--seed N]`: the parsers of everything that comes from outside, with a million frames of the
// peer wire and a tenth of that for each other one. Prints seed and rate; ends with 1 where one of them fails.
import { parseArgs } from 'node:util'
import { run } from '../../scripts/build.mjs'
import { ensureInstalled } from '../../scripts/ensure.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() % 0x7fffffff) },
  },
})
const wrong = Object.entries(values).find(([, value]) => !/^\d{1,10}$/.test(value))
if (wrong) {
  console.error(`Cannot fuzz: --${wrong[0]} is ${wrong[1]}, not a number`)
  process.exit(2)
}
ensureInstalled()
console.log(`fuzz: seed ${values.seed}, ${values.runs} frames`)
const env = { ...process.env, FUZZ_RUNS: values.runs, FUZZ_SEED: values.seed }
const args = ['run', '--project', 'unit', 'test/fuzz/parsers.test.ts', '--disableConsoleIntercept=true']
process.exit(run('vitest', args, { env }) ? 0 : 1)
