#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { initCommand } from './command-init.ts'
import { keygenCommand } from './command-keygen.ts'
import { keysCommand } from './command-keys.ts'
import { pauseCommand } from './command-pause.ts'
import { publishCommand } from './command-publish.ts'
import { serveCommand } from './command-serve.ts'
import { switchCommand } from './command-switch.ts'
import { takedownCommand } from './command-takedown.ts'
import { verifyCommand } from './command-verify.ts'
import { runCli } from './run-cli.ts'

const stop = new AbortController()
// A second signal finds no listener any more and ends the process at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort(new Error(`got ${signal}`)))
// Who reads no further, such as `head`, wants no more. A server goes on where nobody takes its log.
process.stdout.on('error', (error) => stop.abort(error))
process.stderr.on('error', () => undefined)

process.exitCode = await runCli(
  process.argv.slice(2),
  [
    serveCommand,
    publishCommand,
    verifyCommand,
    initCommand,
    keygenCommand,
    keysCommand,
    takedownCommand,
    pauseCommand,
    switchCommand,
  ],
  await readVersion(),
  { stdout: process.stdout, stderr: process.stderr, cwd: process.cwd(), signal: stop.signal },
)

async function readVersion(): Promise<string> {
  const packageFile = new URL('../../../package.json', import.meta.url)
  const text = await readFile(packageFile, 'utf8')
  return v.parse(v.object({ version: v.string() }), JSON.parse(text)).version
}
