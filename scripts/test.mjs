// Everything a change must pass: static checks, unit tests, and tests in a real browser. With arguments, only what they
// select of the tests: `npm test -- test/browser/seek.test.ts`.
// The last line is always `N passed, N failed`: N tests passed; tests and static checks failed.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bundle, run } from './build.mjs'
import { runStaticChecks } from './check.mjs'
import { ensureInstalled } from './ensure.mjs'
import { findChromium } from './find-chromium.mjs'

const args = process.argv.slice(2)
ensureInstalled()
const chromium = findChromium() ?? installChromium()
if (!chromium) {
  console.error('Cannot run the browser tests: install Chromium or Chrome, or name its path in CHROME_PATH')
  process.exit(1)
}

const failedChecks = args.length === 0 ? runStaticChecks() : bundle() ? [] : ['package']
if (failedChecks.length > 0) console.log(`\nFailed checks: ${failedChecks.join(', ')}`)
const tests = runTests(chromium)
const failed = failedChecks.length + tests.failed
console.log(`${tests.passed} passed, ${failed} failed`)
process.exit(failed > 0 || tests.passed === 0 ? 1 : 0)

/** @param {string} chromiumPath */
function runTests(chromiumPath) {
  const folder = mkdtempSync(join(tmpdir(), 'nearhand-test-'))
  try {
    const file = join(folder, 'report.json')
    const isGood = run(
      'vitest',
      ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...args],
      { env: { ...process.env, NEARHAND_CHROMIUM: chromiumPath } },
    )
    const { passed, failed } = countTests(file)
    // A run that ended badly without a failed test (an unhandled rejection, a crash) is a failure all the same.
    return { passed, failed: isGood ? failed : Math.max(failed, 1) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {string} file @returns {{ passed: number, failed: number }} */
function countTests(file) {
  let report
  try {
    report = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 1 }
  }
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = report.testResults
  // A file that cannot even be loaded holds no test that could fail.
  const broken = files.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((test) => test.status !== 'failed'),
  )
  return { passed: report.numPassedTests, failed: report.numFailedTests + broken.length }
}

function installChromium() {
  const isNamed = process.env['NEARHAND_CHROMIUM'] || process.env['CHROME_PATH']
  if (isNamed || process.getuid?.() !== 0) return undefined
  console.error('Installing Chromium (apt-get)')
  for (const command of [['update'], ['install', '-y', '--no-install-recommends', 'chromium']]) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    if (spawnSync('apt-get', command, { stdio: ['ignore', 'ignore', 'ignore'], env }).status !== 0) return undefined
  }
  return findChromium()
}
