import { resolve } from 'node:path'
import { canonicalPath } from '../protocol/paths.ts'
import type { Command } from './command.ts'
import { UsageError } from './command.ts'
import { parseOptions } from './parse-options.ts'
import { changeSwitches } from './switches-change.ts'

export const pauseCommand: Command = {
  name: 'pause',
  summary: 'turn peers off, for the site or a part of it',
  help: `Usage: nearhand pause [options]

Turns peers off: visitors get everything from the server and their own store until you undo it. Nothing breaks by it.

  --path <prefix>   only below a path such as /videos/; may be given several times
  --undo            turn them on again, for the site or for these paths
  --state <folder>  the state of the server, or of publish (default .nearhand)
`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      path: { type: 'string', multiple: true },
      undo: { type: 'boolean', default: false },
      state: { type: 'string', default: '.nearhand' },
    })
    if (positionals[0] !== undefined)
      throw new UsageError(`What is ${positionals[0]}? Name a part of the site by --path`)
    const paths = (values.path ?? []).map(checkPath)
    return changeSwitches(resolve(io.cwd, values.state), io, (before) => {
      if (paths.length === 0) return { ...before, peers: values.undo }
      const others = before.off.filter((prefix) => !paths.includes(prefix))
      return { ...before, off: values.undo ? others : [...others, ...new Set(paths)].toSorted() }
    })
  },
}

function checkPath(path: string): string {
  if (path.endsWith('/') && canonicalPath(path) === path) return path
  throw new UsageError(`--path ${path}: a path such as /videos/, which begins and ends with /, below the site's base`)
}
