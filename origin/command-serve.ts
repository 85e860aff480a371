import { join, relative, resolve } from 'node:path'
import type { IceServer } from '../protocol/join.ts'
import { admitByUrl } from './admit-url.ts'
import type { Command, CommandIo } from './command.ts'
import { UsageError } from './command.ts'
import { isLoopbackHost } from './join.ts'
import { checkOptions, parseOptions } from './parse-options.ts'
import { createProgress } from './progress.ts'
import type { ServedOrigin, ServeOptions } from './serve.ts'
import { serveOrigin } from './serve.ts'
import { checkFolder } from './site-scripts.ts'
import { readUrlOptions, unguardedNote, urlOptions } from './url-options.ts'

const help = `Usage: nearhand serve <folder> [options]

Serves a folder of static files as a Nearhand site: the files, their signed manifest, the scripts, the tracker
and STUN, by one process. Publishes again when files change.

  --port <n>          Port of the site (default: 8080; 0 takes any free one)
  --host <name>       Address to listen on (default: localhost, this machine alone;
                      0.0.0.0 or :: listens on every address)
  --base <path>       Folder of the site on its host (default: /)
  --inject            Put the tag into every HTML page
  --consent <word>    With --inject: "ask" shows visitors a prompt and connects nobody before they agree, "granted"
                      connects at once, "off" leaves it to your pages' nearhand.consent(true) (default: ask)
  --section <path>    A path prefix with a swarm of its own, such as /live/; may be repeated
  --guard <path>      A section whose files your server gives only to some (check them before Nearhand): visitors have
                      them from each other only with a pass that names it; may be repeated
  --admit <url>       Your backend, which answers with the guarded sections that a visitor may join, as a JSON list;
                      asked with the visitor's cookies
  --ignore-query <r>  Query parameters that do not change a file, such as tokens: 'token,sig', or for some paths
                      '/video/**?token,sig'; may be repeated
  --asset-host <r>    Another host of yours, with CORS, that has files of the folder: 'https://media.example.com',
                      or with folders 'https://media.example.com/there/=/here/'; may be repeated
  --pattern <path>    What the service worker answers, such as /media/** or !/media/private/**; may be repeated
                      (default: images, media, fonts, scripts, styles and the like)
  --cache <seconds>   How long browsers keep assets without asking; names with a hash always stay (default: 0)
  --offline-pages     Stored pages answer a navigation that the network does not
  --state <folder>    What must outlive a restart (default: .nearhand)
  --keys <folder>     The site's keys; made where there are none (default: keys in the state folder)
  --no-watch          Do not publish again when files change
  --lan, --no-lan     Let visitors of one network connect by local addresses (default: on for pages at
                      localhost)
  --stun-port <n>     UDP port that tells visitors their public address (default: 3478)
  --no-stun           Do not answer STUN
  --ice <url>         Another ICE server, such as stun:stun.example.org:3478; may be repeated
  --allow-origin <o>  Another web origin whose pages may join, such as https://www.example.org; may be repeated
  --announce <word>   Let p2p-media-loader and WebTorrent clients meet at /announce: "pass" asks each for a pass of
                      the site (?pass=… in the tracker's URL), "open" takes anybody (default: off)
  --trust-proxy <ip>  A proxy, address or range, whose X-Forwarded-For is believed; may be repeated

Visitors' browsers run service workers on https only, localhost apart: put a server with TLS in front.
`

const optionTypes = {
  port: { type: 'string', default: '8080' },
  host: { type: 'string', default: 'localhost' },
  base: { type: 'string' },
  inject: { type: 'boolean', default: false },
  consent: { type: 'string' },
  section: { type: 'string', multiple: true },
  guard: { type: 'string', multiple: true },
  admit: { type: 'string' },
  ...urlOptions,
  pattern: { type: 'string', multiple: true },
  cache: { type: 'string' },
  'offline-pages': { type: 'boolean' },
  state: { type: 'string', default: '.nearhand' },
  keys: { type: 'string' },
  'no-watch': { type: 'boolean', default: false },
  lan: { type: 'boolean', default: false },
  'no-lan': { type: 'boolean', default: false },
  'stun-port': { type: 'string', default: '3478' },
  'no-stun': { type: 'boolean', default: false },
  ice: { type: 'string', multiple: true },
  'allow-origin': { type: 'string', multiple: true },
  announce: { type: 'string' },
  'trust-proxy': { type: 'string', multiple: true },
} as const

export const serveCommand: Command = {
  name: 'serve',
  summary: 'serve a folder as a Nearhand site',
  help,
  async run(args, io) {
    const options = readServeOptions(args, io.cwd)
    await checkFolder(options.folder)
    io.stderr.write(unguardedNote(options) ?? '')
    const served = await start(options, io)
    io.stdout.write(startReport(served, options, io.cwd))
    await aborted(io.signal)
    io.stderr.write('Stopping\n')
    await served.close()
    return 0
  },
}

/** Shows how far the first publication is; those after it come by themselves, and quietly. */
async function start(options: ServeOptions, io: CommandIo): Promise<ServedOrigin> {
  const progress = createProgress(io.stderr, Date.now)
  let isStarted = false
  const report: ServeOptions = {
    ...options,
    log: (line) => io.stderr.write(`${line}\n`),
    onProgress: (done) => {
      if (!isStarted) progress.update(done)
    },
  }
  try {
    return await serveOrigin(report, io.signal)
  } finally {
    isStarted = true
    progress.end()
  }
}

/** What the command line asks for. Throws a UsageError where it cannot be understood. */
function readServeOptions(args: string[], cwd: string): ServeOptions {
  const { values, positionals } = parseOptions(args, optionTypes)
  const [folder, ...more] = positionals
  if (folder === undefined) throw new UsageError('Cannot serve: which folder? (nearhand serve <folder>)')
  if (more.length > 0) throw new UsageError(`Cannot serve: one folder, and not ${more.join(' ')}, too`)
  if (values.lan && values['no-lan']) throw new UsageError('Cannot serve: --lan and --no-lan contradict each other')
  const state = resolve(cwd, values.state)
  const stunPort = readNumber('--stun-port', values['stun-port'], 65_535)
  return checkOptions({
    folder: resolve(cwd, folder),
    state,
    keys: values.keys === undefined ? join(state, 'keys') : resolve(cwd, values.keys),
    port: readNumber('--port', values.port, 65_535),
    host: values.host,
    base: values.base,
    inject: readInjection(values.inject, values.consent),
    lan: values.lan ? true : values['no-lan'] ? false : undefined,
    sections: values.section,
    guarded: values.guard,
    ...readUrlOptions(values),
    ...(values.admit !== undefined && { admit: admitByUrl(readUrl('--admit', values.admit), console.error) }),
    patterns: values.pattern,
    cacheSeconds: values.cache === undefined ? undefined : readNumber('--cache', values.cache, 31_536_000),
    watch: !values['no-watch'],
    stun: values['no-stun'] ? false : { port: stunPort, host: stunHostOf(values.host, values['trust-proxy']) },
    iceServers: values.ice?.map(readIceServer),
    offlinePages: values['offline-pages'],
    allowedOrigins: values['allow-origin'],
    announce: readAnnounce(values.announce),
    trustedProxies: values['trust-proxy'],
  })
}

/** Where STUN listens; undefined is every address. Proxies pass no STUN on: behind one, visitors reach it past the proxy. */
export function stunHostOf(host: string, proxies: readonly string[] | undefined): string | undefined {
  if (proxies !== undefined || !isLoopbackHost(host)) return undefined
  return host === 'localhost' ? '127.0.0.1' : host
}

function readNumber(name: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d{1,9}$/.test(text) && value <= most) return value
  throw new UsageError(`Cannot use ${name} ${text}: not a number from 0 to ${most}`)
}

function readUrl(name: string, url: string): string {
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new UsageError(`Cannot use ${name} ${url}: not an http or https address`)
}

function readInjection(inject: boolean, consent: string | undefined): ServeOptions['inject'] {
  if (consent === undefined) return inject
  if (!inject) throw new UsageError('Cannot use --consent without --inject: the tag of a page says it by itself')
  if (consent !== 'ask' && consent !== 'granted' && consent !== 'off') {
    throw new UsageError(`Cannot use --consent ${consent}: neither ask nor granted nor off`)
  }
  return { consent }
}

function readAnnounce(word: string | undefined): ServeOptions['announce'] {
  if (word === undefined || word === 'open' || word === 'pass') return word
  throw new UsageError(`Cannot use --announce ${word}: neither open nor pass`)
}

function readIceServer(url: string): IceServer {
  if (!/^stuns?:[^\s@]+$/.test(url)) {
    throw new UsageError(
      `Cannot use --ice ${url}: not of the form stun:host:port (TURN needs createOrigin, for its credentials)`,
    )
  }
  return { urls: [url] }
}

function startReport({ url, origin }: ServedOrigin, options: ServeOptions, cwd: string): string {
  const { assets, skipped, head } = origin.publication
  const lines = [`Serving ${relative(cwd, options.folder) || '.'}: ${assets.size} assets, manifest ${head.seq}`]
  for (const { file, reason } of skipped.slice(0, 10)) lines.push(`  not in the manifest: ${file} (${reason})`)
  if (skipped.length > 10) lines.push(`  and ${skipped.length - 10} more`)
  if (!isLoopbackHost(options.host)) {
    lines.push('Visitors elsewhere need https in front: without it their browsers run no service worker.')
  }
  if (options.stun && options.stun.host === undefined) {
    lines.push(
      `Let UDP port ${options.stun.port} through the firewall: STUN tells visitors their public address there.`,
    )
  }
  lines.push(
    '',
    `  ${url}`,
    '',
    'Open it in a second browser or profile, and the two share what they load. Ctrl+C stops.',
    '',
  )
  return lines.join('\n')
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
