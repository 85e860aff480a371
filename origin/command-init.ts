import { join, resolve } from 'node:path'
import type { Command } from './command.ts'
import { keyFiles } from './keys.ts'
import { newKeysNote } from './new-keys-note.ts'
import { configOf, onlyArgument, parseFreshLife, parseOptions } from './parse-options.ts'
import { openKeys } from './open-keys.ts'
import {
  checkSiteFolder,
  scriptNamesOf,
  scriptOptions,
  scriptOptionsHelp,
  tagOf,
  writeSiteScripts,
} from './site-scripts.ts'
import { readUrlOptions } from './url-options.ts'

export const initCommand: Command = {
  name: 'init',
  summary: 'make keys and put the scripts into a site’s sources',
  help: `Usage: nearhand init <folder> [options]

Makes the keys of a site unless there are some, and writes the four scripts into a folder whose files your
build copies as they are, such as public/. Commit the scripts; they change with the keys, the options and the version
of Nearhand only.

  --keys <folder>          the site's keys (default .nearhand/keys)
  --fresh-life <time>      of new keys: the longest time for which fresh.key may sign (default 2m, for
                           nearhand serve; a static host needs the time between two uploads, such as 24h)
${scriptOptionsHelp}`,
  async run(args, io) {
    const keysOption = {
      keys: { type: 'string', default: '.nearhand/keys' },
      'fresh-life': { type: 'string' },
    } as const
    const { values, positionals } = parseOptions(args, { ...scriptOptions, ...keysOption })
    const folder = resolve(io.cwd, onlyArgument(positionals, 'folder'))
    const keysFolder = resolve(io.cwd, values.keys)
    const tag = tagOf(values)
    const freshSeconds = parseFreshLife(values['fresh-life'])
    const { urls } = configOf({ folder, base: values.base, patterns: values.pattern, ...readUrlOptions(values) })
    await checkSiteFolder({ folder, keys: keysFolder })
    const { keys, isNew } = await openKeys(keysFolder, Date.now(), freshSeconds)
    await writeSiteScripts(folder, values, keys.rootEnvelope, urls)
    io.stdout.write(isNew ? newKeysNote(keys, keysFolder) : `Using the keys of site ${keys.site} in ${keysFolder}\n`)
    for (const name of Object.values(scriptNamesOf(values))) io.stdout.write(`Wrote ${join(folder, name)}\n`)
    io.stdout.write(`
Next:
  1. Put this into the head of your pages: ${tag}
  2. Let your build copy the four scripts to ${values.base} of the site
  3. Serve the built folder by nearhand serve, or sign it by nearhand publish before you upload it;
     in CI with ${keyFiles.root}, ${keyFiles.headKey} and, for a static host, ${keyFiles.freshKey} in the key folder
  4. Look from outside: nearhand verify https://your.site
`)
    return 0
  },
}
