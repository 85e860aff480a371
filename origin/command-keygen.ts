import { resolve } from 'node:path'
import type { Command } from './command.ts'
import { UsageError } from './command.ts'
import { newKeysNote } from './new-keys-note.ts'
import { parseFreshLife, parseOptions } from './parse-options.ts'
import { openKeys } from './open-keys.ts'

export const keygenCommand: Command = {
  name: 'keygen',
  summary: 'make the keys of a new site',
  help: `Usage: nearhand keygen [options]

Makes the keys of a new site: root.key names all others and can stay offline, head.key signs what is
published, fresh.key signs every few minutes that it still holds. The other commands do this on their first run.

  --keys <folder>      where to (default .nearhand/keys); refused where it holds a site already
  --fresh-life <time>  the longest time for which fresh.key may sign: a stolen one does harm for as long. 2m (the
                       default) is for nearhand serve; a static host needs the time between two uploads, such as 24h
`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      keys: { type: 'string', default: '.nearhand/keys' },
      'fresh-life': { type: 'string' },
    })
    if (positionals.length > 0) throw new UsageError(`What is ${positionals[0]}? Name the folder by --keys`)
    const folder = resolve(io.cwd, values.keys)
    const { keys, isNew } = await openKeys(folder, Date.now(), parseFreshLife(values['fresh-life']))
    if (!isNew) throw new Error(`Cannot make keys: ${folder} already holds those of site ${keys.site}`)
    io.stdout.write(newKeysNote(keys, folder))
    return 0
  },
}
