import { join, resolve } from 'node:path'
import { headLifeLimitSeconds } from '../protocol/limits.ts'
import { manifestFolder } from '../protocol/manifest.ts'
import type { Command, CommandIo } from './command.ts'
import type { OriginConfig } from './config.ts'
import type { Root } from '../protocol/manifest.ts'
import type { SiteKeys } from './keys.ts'
import { describeDuration, describeLives, rootWarning } from './lives.ts'
import { newKeysNote } from './new-keys-note.ts'
import { configOf, onlyArgument, parseDuration, parseFreshLife, parseOptions } from './parse-options.ts'
import { createProgress, formatBytes } from './progress.ts'
import type { Publication } from './publish.ts'
import { publishFolder } from './publish.ts'
import { openKeys } from './open-keys.ts'
import {
  checkSiteFolder,
  scriptNamesOf,
  scriptOptions,
  scriptOptionsHelp,
  tagOf,
  trackerCommandOf,
  writeSiteScripts,
} from './site-scripts.ts'
import { lockState } from './state-lock.ts'
import { readSwitches, switchesOf } from './switches.ts'
import { readUrlOptions, unguardedNote } from './url-options.ts'

const options = {
  ...scriptOptions,
  keys: { type: 'string', default: '.nearhand/keys' },
  state: { type: 'string', default: '.nearhand' },
  'fresh-life': { type: 'string' },
  'head-life': { type: 'string', default: '30d' },
  section: { type: 'string', multiple: true },
  guard: { type: 'string', multiple: true },
} as const

const skippedShown = 10
const daySeconds = 86_400
const shortSeconds = 900

export const publishCommand: Command = {
  name: 'publish',
  summary: 'sign a folder for a static host',
  help: `Usage: nearhand publish <folder> [options]

Signs the files of a folder and writes into it what a static host needs besides: the manifest below
${manifestFolder}/ and four scripts. Run it after each build; only changed files are read again.

  --keys <folder>          the site's keys, made on the first run (default .nearhand/keys)
  --state <folder>         remembers files and heads between runs (default .nearhand)
  --fresh-life <time>      how long visitors use peers without a newer publish; on a static host a takedown or
                           pause takes as long, and a stolen fresh.key may do harm. The root of the keys says how
                           long it may be (default: just that; 24h where this run makes the keys), and
                           nearhand keys renew --fresh-life changes it
  --head-life <time>       how long the signed catalogue holds (default 30d, at most 366d)
  --section <prefix>       a path such as /live/ gets a swarm of its own; may be given several times
  --guard <prefix>         a section whose files your host gives only to some: visitors have them from each other only
                           with a pass that names it
${scriptOptionsHelp}`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, options)
    const folder = resolve(io.cwd, onlyArgument(positionals, 'folder'))
    const freshSeconds = parseFreshLife(values['fresh-life'])
    const headSeconds = parseDuration('head-life', values['head-life'], 1, headLifeLimitSeconds)
    const tag = tagOf(values)
    const { base, section: sections, pattern: patterns, guard: guarded } = values
    const asked = { folder, base, sections, patterns, guarded, ...readUrlOptions(values) }
    const config = configOf(asked)
    io.stderr.write(unguardedNote(asked) ?? '')
    const keysFolder = resolve(io.cwd, values.keys)
    const state = resolve(io.cwd, values.state)
    await checkSiteFolder({ folder, keys: keysFolder, state })

    const lock = await lockState(state, folder)
    try {
      await publish({ folder, keysFolder, state, freshSeconds, headSeconds, values, config, io })
    } finally {
      await lock.release()
    }
    io.stdout.write(`Tag for the pages: ${tag}\n`)
    if (values.tracker !== undefined) io.stdout.write(trackerCommandOf(values.tracker, config))
    return 0
  },
}

interface PublishRun {
  readonly folder: string
  readonly keysFolder: string
  readonly state: string
  /** Undefined: as long as the root allows. */
  readonly freshSeconds: number | undefined
  readonly headSeconds: number
  readonly values: ReturnType<typeof parseOptions<typeof options>>['values']
  readonly config: OriginConfig
  readonly io: CommandIo
}

async function publish({
  folder,
  keysFolder,
  state,
  freshSeconds: wantedSeconds,
  headSeconds,
  values,
  config: { sections, guarded, urls },
  io,
}: PublishRun): Promise<void> {
  const startedMs = Date.now()
  const { keys, isNew } = await openKeys(keysFolder, startedMs, wantedSeconds ?? daySeconds)
  const freshSeconds = wantedSeconds ?? keys.root.freshSeconds
  assertFreshLife(keys, freshSeconds)
  if (isNew) io.stderr.write(newKeysNote(keys, keysFolder))
  const progress = createProgress(io.stderr, Date.now)
  const publication = await publishFolder({
    folder,
    out: join(folder, manifestFolder),
    state,
    hidden: [keysFolder],
    keys,
    now: Math.floor(startedMs / 1000),
    freshSeconds,
    headSeconds,
    switches: switchesOf(await readSwitches(state)),
    sections,
    guarded,
    ...(urls && { urls }),
    exclude: Object.values(scriptNamesOf(values)).map((name) => `/${name}`),
    onProgress: progress.update,
    signal: io.signal,
  }).finally(progress.end)
  await writeSiteScripts(folder, values, keys.rootEnvelope, urls)
  report(publication, io, {
    seconds: (Date.now() - startedMs) / 1000,
    freshSeconds,
    startedMs,
    root: keys.root,
  })
}

function report(
  publication: Publication,
  io: CommandIo,
  run: { seconds: number; freshSeconds: number; startedMs: number; root: Root },
): void {
  const { assets, skipped, head, hashedFiles, prefixes, outside } = publication
  if (outside > 0) {
    io.stderr.write(
      `Not listed: ${outside} files, for the key here signs only what lies below ${prefixes.join(', ')}\n`,
    )
  }
  for (const { file, reason } of skipped.slice(0, skippedShown)) io.stderr.write(`Not listed: ${file}: ${reason}\n`)
  if (skipped.length > skippedShown) io.stderr.write(`Not listed: ${skipped.length - skippedShown} more\n`)
  const bytes = [...assets.values()].reduce((sum, { size }) => sum + size, 0)
  io.stdout.write(
    `Published ${assets.size} assets, ${formatBytes(bytes)}: ${hashedFiles} new or changed, ` +
      `seq ${head.seq}, ${run.seconds.toFixed(1)} s\n`,
  )
  const warning = rootWarning(run.root.expires, Math.floor(run.startedMs / 1000))
  if (warning !== undefined) io.stderr.write(`${warning}\n`)
  if (publication.freshEnvelope === undefined) {
    io.stderr.write('No fresh.json was written: its key is not here, so the tracker must give one\n')
    return
  }
  const now = Math.floor(run.startedMs / 1000)
  const lives = { root: run.root.expires, head: head.expires, fresh: now + run.freshSeconds }
  io.stdout.write(`${describeLives(lives, now)}\n`)
  // Whose keys were made for a server is not to wonder on a static host why nobody has peers.
  if (run.freshSeconds === run.root.freshSeconds && run.freshSeconds < shortSeconds) {
    io.stdout.write(
      'Enough for nearhand serve, which signs anew. A static host needs longer: the root allows no more, ' +
        'nearhand keys renew --fresh-life 24h does\n',
    )
  }
}

/** Before anything is written: visitors would refuse what was signed for longer. */
function assertFreshLife({ root, fresh }: SiteKeys, seconds: number): void {
  if (fresh === undefined || seconds <= root.freshSeconds) return
  throw new Error(
    `Cannot sign for ${describeDuration(seconds)}: the root allows ${describeDuration(root.freshSeconds)}; ` +
      `give a shorter --fresh-life, or run nearhand keys renew --fresh-life ${describeDuration(seconds)} where root.key is`,
  )
}
