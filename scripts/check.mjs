import { fileURLToPath } from 'node:url'
import { bundle, run } from './build.mjs'
import { ensureInstalled } from './ensure.mjs'

/** @type {Record<string, () => boolean>} */
const checks = {
  format: () => run('oxfmt', ['--check']),
  lint: () => run('oxlint', ['--type-aware']),
  types: () => run('tsc', ['-b']),
  'dead code': () => run('knip', []),
  package: () => bundle() && run('publint', ['--strict']),
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureInstalled()
  const failed = runStaticChecks()
  if (!run('vitest', ['run', '--project', 'unit'])) failed.push('unit tests')
  console.log(failed.length === 0 ? 'check: all good' : `check: failed: ${failed.join(', ')}`)
  process.exit(failed.length === 0 ? 0 : 1)
}

/** Runs every check, also after one failed, and returns the names of those that failed. */
export function runStaticChecks() {
  return Object.entries(checks)
    .filter(([name, isGood]) => {
      console.log(`\ncheck: ${name}`)
      return !isGood()
    })
    .map(([name]) => name)
}
