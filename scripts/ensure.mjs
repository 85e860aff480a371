import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url))

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureInstalled()

/** Installs the dependencies unless `node_modules` already holds what the lockfile names; touches no network otherwise. */
export function ensureInstalled() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    stop(`Cannot run Nearhand on Node ${process.versions.node}: it needs 20.19 or newer`)
  }
  if (isInstalled()) return
  console.error('Installing dependencies (npm ci)')
  const npm = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    // Our own last line is the one that counts, so npm talks on the other stream.
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) stop('Cannot install the dependencies: npm ci failed')
}

// npm keeps a copy of the lockfile beside what it installed. Comparing the two survives a checkout that only moves file times.
function isInstalled() {
  const wanted = readPackages('package-lock.json')
  const installed = readPackages('node_modules/.package-lock.json')
  if (!wanted || !installed) return false
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  )
}

/** @param {string} name @returns {Record<string, { version?: string, optional?: boolean }> | undefined} */
function readPackages(name) {
  try {
    return JSON.parse(readFileSync(`${root}/${name}`, 'utf8')).packages
  } catch {
    return undefined
  }
}

/** @param {string} reason @returns {never} */
function stop(reason) {
  console.error(reason)
  process.exit(1)
}
