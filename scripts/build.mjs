import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureInstalled, root } from './ensure.mjs'
import { writePlaces } from './places.mjs'

const stamp = join(root, 'dist/.bundled')
const places = join(root, 'dist/places.bin')
const sources = ['protocol', 'sw', 'sdk', 'origin', 'package-lock.json', 'rolldown.config.mjs', 'scripts/places.mjs']

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureInstalled()
  process.exit(bundle() && run('tsc', ['-b']) ? 0 : 1)
}

/** Writes `dist/npm`, `dist/browser` and `dist/places.bin`. Declarations are the compiler's part: `tsc -b`. */
export function bundle() {
  // What it prints on the one stream is a list of files; warnings and errors come on the other.
  const isDone = run('rolldown', ['-c'], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (isDone && isStale(places, ['package-lock.json', 'scripts/places.mjs'])) writePlaces(places)
  if (isDone) writeFileSync(stamp, '')
  return isDone
}

/** Whether a source changed, came or went since the last complete bundle. */
export function isBundleStale() {
  return isStale(stamp, sources)
}

/** @param {string} file @param {string[]} names of what it is made from */
function isStale(file, names) {
  return !existsSync(file) || names.some((name) => newest(join(root, name)) > statSync(file).mtimeMs)
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
