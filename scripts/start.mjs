import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle, isBundleStale } from './build.mjs'
import { ensureInstalled, root } from './ensure.mjs'

ensureInstalled()
if (isBundleStale() && !bundle()) process.exit(1)

// In this very process, not in a child: signals reach the origin once, and its exit code is ours.
const cli = join(root, 'dist/npm/origin/cli.js')
process.chdir(root)
process.argv = [process.execPath, cli, 'serve', 'demo/site', '--inject', '--lan', ...process.argv.slice(2)]
await import(pathToFileURL(cli).href)
