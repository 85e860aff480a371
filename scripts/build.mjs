import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, root } from './ensure.mjs'

const stamp = join(root, 'dist/.bundled')
const sources = ['protocol', 'sw', 'sdk', 'origin', 'package-lock.json', 'rolldown.config.mjs']

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureInstalled()
  process.exit(bundle() && run('tsc', ['-b']) ? 0 : 1)
}

/** Writes `dist/npm` and `dist/browser`. Declarations are the compiler's part: `tsc -b`. */
export function bundle() {
  // What it prints on the one stream is a list of files; warnings and errors come on the other.
  const isDone = run('rolldown', ['-c'], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (isDone) writeFileSync(stamp, '')
  return isDone
}

/** Whether a source changed, came or went since the last complete bundle. */
export function isBundleStale() {
  return !existsSync(stamp) || sources.some((name) => newest(join(root, name)) > statSync(stamp).mtimeMs)
}

/**
 * Runs an installed command; true when it ended well.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} options
 */
export function run(command, args, options = {}) {
  const path = join(root, 'node_modules/.bin', command)
  return spawnSync(path, args, { cwd: root, stdio: 'inherit', ...options }).status === 0
}

/** @param {string} path @returns {number} */
function newest(path) {
  const own = statSync(path)
  if (!own.isDirectory()) return own.mtimeMs
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), own.mtimeMs)
}
