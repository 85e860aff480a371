import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { UrlRules } from '../protocol/url-rules.ts'
import { UsageError } from './command.ts'
import type { OriginConfig, ScriptNames } from './config.ts'
import { keyFiles } from './keys.ts'
import { realPlace, segmentsBelow } from './real-place.ts'
import { readBrowserScripts } from './scripts.ts'
import { urlOptionsHelp } from './url-options.ts'
import { composeWorker } from './worker-file.ts'
import { writeAtomically } from './write-atomically.ts'

/** Options of the commands that write a site's scripts, for `parseArgs`. */
export const scriptOptions = {
  base: { type: 'string', default: '/' },
  pattern: { type: 'string', multiple: true },
  tracker: { type: 'string' },
  'tag-file': { type: 'string', default: 'nearhand.js' },
  'worker-file': { type: 'string', default: 'nearhand-worker.js' },
  'prompt-file': { type: 'string', default: 'nearhand-consent.js' },
  'peers-file': { type: 'string', default: 'nearhand-peers.js' },
  'service-worker-file': { type: 'string', default: 'nearhand-sw.js' },
  'offline-pages': { type: 'boolean', default: false },
  'ignore-query': { type: 'string', multiple: true },
  'asset-host': { type: 'string', multiple: true },
} as const

export const scriptOptionsHelp: string = `  --base <path>            the site's folder on its host, such as /docs/ (default /)
  --pattern <pattern>      what the worker may answer, instead of the usual static files: '/img/**', '/**.js',
                           '!/private/**'; may be given several times
  --tracker <url>          the host where nearhand serve runs, for the tag
  --tag-file <name>        names of the scripts (default nearhand.js, nearhand-worker.js,
  --worker-file <name>     nearhand-consent.js, nearhand-peers.js, nearhand-sw.js)
  --prompt-file <name>
  --peers-file <name>
  --service-worker-file <name>
  --offline-pages          stored pages answer when the network does not
${urlOptionsHelp}`

/** The options as parsed. */
interface ScriptValues extends NameValues {
  readonly base: string
  readonly pattern?: string[] | undefined
  readonly tracker?: string | undefined
  readonly 'offline-pages': boolean
}

interface NameValues {
  readonly 'tag-file': string
  readonly 'worker-file': string
  readonly 'prompt-file': string
  readonly 'peers-file': string
  readonly 'service-worker-file': string
}

export function scriptNamesOf(values: NameValues): ScriptNames {
  const names = {
    tag: values['tag-file'],
    worker: values['worker-file'],
    prompt: values['prompt-file'],
    peers: values['peers-file'],
    serviceWorker: values['service-worker-file'],
  }
  const all = Object.values(names)
  for (const name of all) {
    if (!/^[\w-][\w.-]*\.js$/.test(name)) throw new UsageError(`${name}: not the name of a .js file`)
  }
  if (new Set(all).size < all.length) throw new UsageError('Each of the scripts needs a name of its own')
  return names
}

/** Writes the tag's script, its two modules and the two workers into a site's folder; files that are the same stay untouched. */
export async function writeSiteScripts(
  folder: string,
  values: ScriptValues,
  rootEnvelope: string,
  urls: UrlRules | undefined,
): Promise<void> {
  const names = scriptNamesOf(values)
  const scripts = await readBrowserScripts()
  const options = {
    rootEnvelope,
    base: values.base,
    offlinePages: values['offline-pages'],
    urls,
    ...(values.pattern && { patterns: values.pattern }),
  }
  const serviceWorker = composeWorker(options, scripts.serviceWorker)
  await writeChanged(join(folder, names.tag), scripts.tag)
  await writeChanged(join(folder, names.worker), scripts.worker)
  await writeChanged(join(folder, names.prompt), scripts.prompt)
  await writeChanged(join(folder, names.peers), scripts.peers)
  await writeChanged(join(folder, names.serviceWorker), serviceWorker)
}

/** What a page of the site needs. */
export function tagOf(values: ScriptValues): string {
  const names = scriptNamesOf(values)
  const attributes = [
    ['src', values.base + names.tag],
    ['data-consent', 'ask'],
    ...(names.worker === scriptOptions['worker-file'].default ? [] : [['data-worker', names.worker]]),
    ...(names.prompt === scriptOptions['prompt-file'].default ? [] : [['data-prompt', names.prompt]]),
    ...(names.peers === scriptOptions['peers-file'].default ? [] : [['data-peers', names.peers]]),
    ...(names.serviceWorker === scriptOptions['service-worker-file'].default
      ? []
      : [['data-service-worker', names.serviceWorker]]),
    ...(values.tracker === undefined ? [] : [['data-tracker', trackerOf(values.tracker)]]),
  ]
  return `<script ${attributes.map(([name, value]) => `${name}="${value}"`).join(' ')} async></script>`
}

/**
 * What lets the visitors of a static host meet. The folder is empty and the fresh key stays away: of a site that lies
 * elsewhere, this machine has nothing to tell.
 */
export function trackerCommandOf(
  tracker: string,
  { sections, guarded }: Pick<OriginConfig, 'sections' | 'guarded'>,
): string {
  const { host, pathname } = new URL(trackerOf(tracker))
  const base = pathname === '/' ? '' : ` --base ${pathname.replace(/\/?$/, '/')}`
  const open = sections.filter((section) => !guarded.includes(section))
  const guards = guarded.map((section) => ` --guard ${section}`).join('')
  const admit = guarded.length === 0 ? '' : ' --admit https://<your backend>/<which sections a visitor may join>'
  const options = base + open.map((section) => ` --section ${section}`).join('') + guards + admit
  return `On ${host}, behind TLS, with ${keyFiles.root}, ${keyFiles.tokenKey} and ${keyFiles.swarmSecret} alone in keys:
  mkdir -p empty && nearhand serve empty --keys keys --allow-origin https://<the site>${options} --trust-proxy 127.0.0.1
`
}

export async function checkFolder(folder: string): Promise<void> {
  const stats = await stat(folder).catch(() => undefined)
  if (!stats?.isDirectory()) throw new UsageError(`${folder}: there is no such folder`)
}

interface SitePlaces {
  readonly folder: string
  readonly keys: string
  readonly state?: string
}

/** Refuses a folder that is not there, and one that holds the keys: a static host hands out whatever lies in it. */
export async function checkSiteFolder({ folder, keys, state }: SitePlaces): Promise<void> {
  await checkFolder(folder)
  const site = await realPlace(folder)
  // Even in a hidden folder of it: not every host keeps those to itself.
  if (segmentsBelow(site, await realPlace(keys))) {
    throw new UsageError(`The keys in ${keys} would be published: keep them out of ${folder} by --keys`)
  }
  const below = state === undefined ? undefined : segmentsBelow(site, await realPlace(state))
  if (below && !below.some((name) => name.startsWith('.'))) {
    throw new UsageError(`The state in ${state} would be published: keep it out of ${folder} by --state`)
  }
}

function trackerOf(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw new UsageError(`--tracker ${text}: not an http or https address`)
  }
  return new URL(text).href
}

async function writeChanged(file: string, content: string): Promise<void> {
  const present = await readFile(file, 'utf8').catch(() => undefined)
  if (present !== content) await writeAtomically(file, content)
}
