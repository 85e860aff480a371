import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { UsageError } from './command.ts'
import { describeLives, rootWarning } from './lives.ts'
import { onlyArgument, parseOptions } from './parse-options.ts'
import { formatBytes } from './progress.ts'
import { readBrowserScripts } from './scripts.ts'
import { scriptNamesOf, scriptOptions } from './site-scripts.ts'
import type { SiteReader } from './site-reader.ts'
import { createFolderReader, createUrlReader } from './site-reader.ts'
import { verifySite } from './verify-site.ts'

const hostTimeoutMs = 30_000
const width = 8

export const verifyCommand: Command = {
  name: 'verify',
  summary: 'check a published site from outside',
  help: `Usage: nearhand verify <folder or URL> [options]

Reads a published site as a visitor does, but all of it: signatures and their lives, every part of the manifest,
the way from older roots to the newest, the scripts, the bytes and content-type of every asset, whether pages may read
your other hosts, and that strangers are not given what is guarded. Prints each path that is wrong, and why.

  --root <file>                 a root.json to trust, the newest or an older one (default: the one that the site shows)
  --tag-file <name>             names of the scripts (default nearhand.js, nearhand-worker.js,
  --worker-file <name>          nearhand-consent.js, nearhand-peers.js, nearhand-sw.js)
  --prompt-file <name>
  --peers-file <name>
  --service-worker-file <name>

Exit code 1 where anything is wrong.
`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      root: { type: 'string' },
      'tag-file': scriptOptions['tag-file'],
      'worker-file': scriptOptions['worker-file'],
      'prompt-file': scriptOptions['prompt-file'],
      'peers-file': scriptOptions['peers-file'],
      'service-worker-file': scriptOptions['service-worker-file'],
    })
    const place = onlyArgument(positionals, 'folder or URL')
    const pinnedRoot = values.root === undefined ? undefined : await readFile(resolve(io.cwd, values.root), 'utf8')
    const now = Math.floor(Date.now() / 1000)
    let problems = 0
    const site = await verifySite(createReader(place, io.cwd, io.signal), {
      pinnedRoot,
      scriptNames: scriptNamesOf(values),
      scripts: await readBrowserScripts(),
      now,
      width,
      signal: io.signal,
      report(path, problem) {
        problems += 1
        io.stdout.write(`${path}: ${problem}\n`)
      },
    })
    const checked = `${site.assets} assets, ${formatBytes(site.bytes)}${site.head ? `, seq ${site.head.seq}` : ''}`
    io.stdout.write(`${problems === 0 ? 'All is right' : count(problems)}: ${checked}\n`)
    if (site.lives) {
      io.stdout.write(`${describeLives(site.lives, now)}\n`)
      const warning = rootWarning(site.lives.root, now)
      if (warning !== undefined) io.stderr.write(`${warning}\n`)
    }
    return problems === 0 ? 0 : 1
  },
}

function createReader(place: string, cwd: string, signal: AbortSignal): SiteReader {
  if (!/^https?:/i.test(place)) return createFolderReader(resolve(cwd, place))
  if (!URL.canParse(place)) throw new UsageError(`${place}: not an address`)
  const base = new URL(place)
  if (base.search !== '' || base.hash !== '') throw new UsageError(`${place}: a site has no query and no fragment`)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return createUrlReader(base, hostTimeoutMs, signal)
}

function count(problems: number): string {
  return problems === 1 ? '1 problem' : `${problems} problems`
}
