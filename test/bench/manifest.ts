import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { constants, brotliCompressSync } from 'node:zlib'
import { isCompressible } from '../../origin/compress.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { manifestFiles, manifestFolder, parseBin } from '../../protocol/manifest.ts'
import { openPinnedRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { changeFiles, pathAt, spread, writeFiles } from './manifest-site.ts'

const help = `Usage: npm run bench:manifest -- [--assets N] [--json FILE]

Makes a site of N real files (default 1000000) in the folder for temporary files, publishes it with \`nearhand publish\`,
changes 20 files, publishes again, and reads the manifest as a visitor does. What is measured: docs/benchmarks.md
`

const changedFiles = 20
const pageAssets = 30
const pages = 20
const timings = 50

/** This file runs bundled, as dist/bench/manifest.mjs. */
const cli = join(dirname(dirname(dirname(fileURLToPath(import.meta.url)))), 'dist/npm/origin/cli.js')

interface Measured {
  readonly assets: number
  /** Of the signed head as it goes over the wire. */
  readonly headBytes: number
  /** All of the manifest that a first visit to a page of 30 random assets reads. */
  readonly coldPageBytes: number
  /** Files that it reads for that. */
  readonly coldPageFiles: number
  /** SHA-256 and parsing of the largest bin. */
  readonly verifyMs: number
  readonly publishMs: number
  /** The whole command, after 20 files changed. */
  readonly republishMs: number
  /** Parts that were not there before. */
  readonly newParts: number
  readonly parts: number
}

await main()

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      assets: { type: 'string', default: '1000000' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const assets = Number(values.assets)
  if (values.help || !Number.isSafeInteger(assets) || assets < 1) {
    console.log(help)
    return
  }
  const folder = await mkdtemp(join(tmpdir(), 'nearhand-bench-'))
  try {
    const measured = await measure(folder, assets)
    console.log(tableOf(measured))
    if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(measured, undefined, 2)}\n`)
  } finally {
    console.error('removing the files')
    await rm(folder, { recursive: true, force: true })
  }
}

async function measure(folder: string, assets: number): Promise<Measured> {
  const site = join(folder, 'site')
  writeFiles(site, assets, (done) => {
    if (done % 100_000 === 0) console.error(`${done} of ${assets} files are there`)
  })
  const publishMs = await publish(folder)
  const before = new Set(await readdir(join(site, manifestFolder, 'parts')))
  changeFiles(site, spread(changedFiles, assets, 1), 1)
  const republishMs = await publish(folder)
  const after = await readdir(join(site, manifestFolder, 'parts'))
  const manifest = await openManifest(join(site, manifestFolder))
  const pageSizes = await Promise.all(Array.from({ length: pages }, (_, seed) => readColdPage(manifest, assets, seed)))
  return {
    assets,
    headBytes: manifest.headBytes,
    coldPageBytes: Math.round(mean(pageSizes.map(({ bytes }) => bytes))),
    coldPageFiles: Math.round(mean(pageSizes.map(({ files }) => files))),
    verifyMs: await timeLargestBin(manifest),
    publishMs,
    republishMs,
    newParts: after.filter((name) => !before.has(name)).length,
    parts: after.length,
  }
}

/** Milliseconds of the whole command. */
function publish(folder: string): Promise<number> {
  const started = performance.now()
  const child = spawn(process.execPath, [cli, 'publish', 'site'], { cwd: folder, stdio: 'inherit' })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => {
      if (code === 0) resolve(Math.round(performance.now() - started))
      else reject(new Error(`Cannot publish: the command ended with ${code}`))
    })
  })
}

interface OpenedManifest {
  readonly trusted: TrustedManifest
  readonly headBytes: number
  readonly freshBytes: number
  readonly read: (id: ContentId) => Promise<Bytes>
}

async function openManifest(folder: string): Promise<OpenedManifest> {
  const readFileOf = async (name: string): Promise<Bytes> => new Uint8Array(await readFile(join(folder, name)))
  const trusted = new TrustedManifest(await openPinnedRoot(await readFileOf(manifestFiles.root)))
  const now = Date.now() / 1000
  const fresh = await readFileOf(manifestFiles.fresh)
  const [named] = (await trusted.acceptFresh(fresh, now)).heads
  if (named === undefined) throw new Error('Cannot measure: no head')
  const head = await readFileOf(manifestFiles.head(named.hash))
  await trusted.acceptHead(head, now)
  const read = (id: ContentId): Promise<Bytes> => readFileOf(manifestFiles.part(id))
  return { trusted, headBytes: bytesOnWire(head), freshBytes: bytesOnWire(fresh), read }
}

async function readColdPage(
  { trusted, headBytes, freshBytes, read }: OpenedManifest,
  assets: number,
  seed: number,
): Promise<{ bytes: number; files: number }> {
  const parts = new Map<ContentId, number>()
  for (const index of spread(pageAssets, assets, seed)) {
    const found = await trusted.find(pathAt(index), async (id) => {
      const part = await read(id)
      parts.set(id, bytesOnWire(part))
      return part
    })
    if (found === undefined) throw new Error(`Cannot measure: ${pathAt(index)} is not listed`)
  }
  const partBytes = [...parts.values()].reduce((sum, bytes) => sum + bytes, 0)
  return { bytes: freshBytes + headBytes + partBytes, files: 2 + parts.size }
}

/** What our server sends, without the headers. */
function bytesOnWire(body: Uint8Array): number {
  if (!isCompressible('application/json', body.length)) return body.length
  return brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }).length
}

/** The median of some runs, in milliseconds. */
async function timeLargestBin({ trusted, read }: OpenedManifest): Promise<number> {
  let largest: Bytes = new Uint8Array()
  for await (const _ of trusted.assets(async (id) => {
    const part = await read(id)
    if (part.length > largest.length && isBin(part)) largest = part
    return part
  })) {
    // Only the parts count.
  }
  const times: number[] = []
  for (let left = timings; left > 0; left -= 1) {
    const started = performance.now()
    await contentIdOf(largest)
    parseBin(largest)
    times.push(performance.now() - started)
  }
  return Number((times.toSorted((one, other) => one - other)[Math.floor(timings / 2)] ?? NaN).toFixed(3))
}

function isBin(part: Bytes): boolean {
  try {
    return parseBin(part).length > 0
  } catch {
    return false // an index page
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}

function tableOf(measured: Measured): string {
  const lines: readonly (readonly [name: string, value: string])[] = [
    ['assets', String(measured.assets)],
    ['head, on the wire', `${measured.headBytes} bytes`],
    [
      `manifest for a cold page of ${pageAssets} random assets`,
      `${measured.coldPageBytes} bytes, ${measured.coldPageFiles} files`,
    ],
    ['largest bin: verify and parse', `${measured.verifyMs} ms`],
    ['first publish', `${(measured.publishMs / 1000).toFixed(1)} s`],
    [`publish after ${changedFiles} changes`, `${(measured.republishMs / 1000).toFixed(1)} s`],
    ['parts, and new ones after the changes', `${measured.parts}, ${measured.newParts}`],
  ]
  return lines.map(([name, value]) => `${name.padEnd(48)} ${value}`).join('\n')
}
