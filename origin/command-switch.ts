import { resolve } from 'node:path'
import { graceLimitSeconds, minimumSwarmLimit } from '../protocol/limits.ts'
import type { Command } from './command.ts'
import { UsageError } from './command.ts'
import { parseDuration, parseOptions } from './parse-options.ts'
import { changeSwitches, describeReach } from './switches-change.ts'
import { describeSwitches, readSwitches } from './switches.ts'

export const switchCommand: Command = {
  name: 'switch',
  summary: 'show and set what visitors may do',
  help: `Usage: nearhand switch [options]

Without options: shows every switch that is not as by default, takedowns and pauses included.

  --share <0 to 1>      this share of the visitors may use peers, such as 0.1 to try a release (default 1)
  --minimum-swarm <n>   nobody is introduced in a swarm of fewer, oneself included (default 2)
  --grace <time>        how long visitors go on with peers while neither server nor tracker can be reached, such
                        as 30m; 0s for none (default 30m)
  --unregister          every browser removes the site's worker: the end of Nearhand on this site
  --no-unregister       stop that
  --state <folder>      the state of the server, or of publish (default .nearhand)

See also nearhand pause and nearhand takedown.
`,
  async run(args, io) {
    const { values, positionals } = parseOptions(args, {
      share: { type: 'string' },
      'minimum-swarm': { type: 'string' },
      grace: { type: 'string' },
      unregister: { type: 'boolean', default: false },
      'no-unregister': { type: 'boolean', default: false },
      state: { type: 'string', default: '.nearhand' },
    })
    if (positionals[0] !== undefined) throw new UsageError(`What is ${positionals[0]}?`)
    if (values.unregister && values['no-unregister']) {
      throw new UsageError('--unregister and --no-unregister contradict each other')
    }
    const wanted = {
      ...(values.share !== undefined && { share: readShare(values.share) }),
      ...(values['minimum-swarm'] !== undefined && { minimumSwarm: readMinimum(values['minimum-swarm']) }),
      ...(values.grace !== undefined && { grace: readGrace(values.grace) }),
      ...(values.unregister && { unregister: true }),
      ...(values['no-unregister'] && { unregister: false }),
    }
    const state = resolve(io.cwd, values.state)
    if (Object.keys(wanted).length > 0) return changeSwitches(state, io, (before) => ({ ...before, ...wanted }))
    io.stdout.write(describeSwitches(await readSwitches(state)) + (await describeReach(state)))
    return 0
  },
}

function readShare(text: string): number {
  if (/^(0|1|0?\.\d{1,6}|1\.0+)$/.test(text)) return Number(text)
  throw new UsageError(`--share ${text}: not a number from 0 to 1, such as 0.1`)
}

function readMinimum(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) >= 1 && Number(text) <= minimumSwarmLimit) return Number(text)
  throw new UsageError(`--minimum-swarm ${text}: not a number from 1 to ${minimumSwarmLimit}`)
}

function readGrace(text: string): number {
  const seconds = text === '0s' || text === '0' ? 0 : parseDuration('grace', text)
  if (seconds <= graceLimitSeconds) return seconds
  throw new UsageError(`--grace ${text}: at most ${graceLimitSeconds / 3600}h`)
}
