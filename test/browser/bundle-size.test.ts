import { readFile } from 'node:fs/promises'
import { brotliCompressSync } from 'node:zlib'
import { expect, test } from 'vitest'

// What a visitor pays for us, as a server sends it: brotli, KiB.
test.each([
  ['nearhand.js', 12],
  ['nearhand-sw.js', 27],
  ['nearhand-worker.js', 16],
  ['nearhand-consent.js', 4],
  ['nearhand-peers.js', 10],
])('%s stays within %i KiB', async (name, budgetKib) => {
  const script = await readFile(new URL(`../../dist/browser/${name}`, import.meta.url))
  expect(brotliCompressSync(script).length).toBeLessThanOrEqual(budgetKib * 1024)
})
