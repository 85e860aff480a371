import { resolve } from 'node:path'
import type { ContentId } from '../protocol/ids.ts'
import { parseContentId } from '../protocol/ids.ts'
import { revokedLimit } from '../protocol/limits.ts'
import { canonicalPath, rowPath } from '../protocol/paths.ts'
import type { Command } from './command.ts'
import { UsageError } from './command.ts'
import { onlyArgument, parseOptions } from './parse-options.ts'
import { findPublished } from './published-content.ts'
import { changeSwitches } from './switches-change.ts'
import { readSwitches } from './switches.ts'

export const takedownCommand: Command = {
  name: 'takedown',
  summary: 'take one file down, everywhere',
  help: `Usage: nearhand takedown <path, URL or content id> [options]

Nobody is to serve this content any more: visitors stop passing it on and forget their copies of it, and a running
nearhand serve answers 410 for it. By a path it takes down what lies there now and what lay there in the last
publications. It is the content that is taken down: the same bytes under another name go, too, and other bytes under
the same name are served again. Remove or replace the file itself as well.

  --undo            serve it again
  --state <folder>  the state of the server, or of publish (default .nearhand)

Examples: nearhand takedown /videos/secret.mp4
          nearhand takedown /videos/secret.mp4 --undo
`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      undo: { type: 'boolean', default: false },
      state: { type: 'string', default: '.nearhand' },
    })
    const name = onlyArgument(positionals, 'path or content id')
    const state = resolve(io.cwd, values.state)
    const id = parseContentId(name)
    const path = id === undefined ? pathOf(name) : null
    if (values.undo) {
      const { takedowns } = await readSwitches(state)
      const isMeant = (one: (typeof takedowns)[number]): boolean =>
        id === undefined ? one.path === path : one.id === id
      if (!takedowns.some(isMeant))
        throw new Error(`Cannot undo: ${name} is not taken down (nearhand switch lists all)`)
      return changeSwitches(state, io, (before) => ({
        ...before,
        takedowns: before.takedowns.filter((one) => !isMeant(one)),
      }))
    }
    const ids = path === null ? (id === undefined ? [] : [id]) : await idsOf(state, path)
    const at = Math.floor(Date.now() / 1000)
    return changeSwitches(state, io, (before) => {
      const known = new Set(before.takedowns.map((one) => one.id))
      const added = ids.filter((one) => !known.has(one)).map((one) => ({ id: one, path, at }))
      const takedowns = [...before.takedowns, ...added]
      if (takedowns.length > revokedLimit) {
        throw new Error(`Cannot take down more than ${revokedLimit}: undo old ones whose files are gone for long`)
      }
      return { ...before, takedowns }
    })
  },
}

async function idsOf(state: string, path: string): Promise<readonly ContentId[]> {
  const { ids, near } = await findPublished(state, path)
  if (ids.length > 0) return ids
  const hint = near === undefined ? '' : `; did you mean ${near}?`
  throw new Error(`Cannot take down ${path}: the last publications do not list it, so nobody shares it${hint}`)
}

function pathOf(text: string): string {
  const spelled = /^https?:/i.test(text) && URL.canParse(text) ? new URL(text).pathname : text
  const path = canonicalPath(spelled)
  if (path !== undefined) return rowPath(path)
  throw new UsageError(`${text}: neither a path such as /img/a.png, below the site's base, nor a content id`)
}
