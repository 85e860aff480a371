// `node test/bench/run.mjs <name> [options]`: builds what the benchmark needs, bundles `<name>.ts` (Node 20 runs no
// TypeScript) and runs it in this process.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundle, isBundleStale } from '../../scripts/build.mjs'
import { ensureInstalled, root } from '../../scripts/ensure.mjs'

const [name = '', ...args] = process.argv.slice(2)
ensureInstalled()
if (isBundleStale() && !bundle()) process.exit(1)

const file = join(root, 'dist/bench', `${name}.mjs`)
const { build } = await import('rolldown')
await build({
  input: join(root, 'test/bench', `${name}.ts`),
  platform: 'node',
  external: /^[^./]/,
  output: { file, format: 'esm', codeSplitting: false },
})
process.argv = [process.execPath, file, ...args]
await import(pathToFileURL(file).href)
