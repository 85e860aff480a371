import { defineConfig } from 'rolldown'

/**
 * One self-contained script for a browser, classic unless it is to be a module.
 *
 * @param {string} input
 * @param {string} name
 * @param {'iife' | 'esm'} format
 * @returns {import('rolldown').RolldownOptions}
 */
const browserFile = (input, name, format = 'iife') => ({
  input,
  platform: 'browser',
  // The package's usual module is transpiled for browsers that have no Ed25519, so no peers either.
  resolve: { alias: { 'workbox-window': 'workbox-window/build/workbox-window.prod.mjs' } },
  transform: { target: 'es2022' },
  output: { file: `dist/browser/${name}`, format, minify: true, comments: false, codeSplitting: false },
})

export default defineConfig([
  {
    input: ['sdk/index.ts', 'origin/index.ts', 'origin/cli.ts', 'origin/hash-worker.ts'],
    platform: 'neutral',
    // Everything that is not a relative path of ours stays an import: Node's own modules and the dependencies.
    external: /^[^./]/,
    output: {
      dir: 'dist/npm',
      format: 'esm',
      // The output mirrors the folders, so a path relative to `import.meta.url` names the same neighbour as in the sources.
      preserveModules: true,
      preserveModulesRoot: '.',
      cleanDir: true,
    },
  },
  browserFile('sdk/script.ts', 'nearhand.js'),
  browserFile('sw/main.ts', 'nearhand-sw.js'),
  browserFile('sdk/worker.ts', 'nearhand-worker.js'),
  browserFile('sdk/prompt.ts', 'nearhand-consent.js', 'esm'),
  browserFile('sdk/peers.ts', 'nearhand-peers.js', 'esm'),
])
