import type { Command, CommandIo } from './command.ts'
import { UsageError } from './command.ts'
import { addCommand, cancelCommand, renewCommand, revokeCommand, rotateCommand } from './command-keys-change.ts'
import { collectCommand, listCommand, makeCommand, signCommand } from './command-keys-sign.ts'
import { nearestWord } from './nearest.ts'

type KeysVerb = (args: string[], io: CommandIo) => Promise<number>

const verbs: Readonly<Record<string, KeysVerb>> = {
  list: listCommand,
  make: makeCommand,
  add: addCommand,
  rotate: rotateCommand,
  revoke: revokeCommand,
  renew: renewCommand,
  sign: signCommand,
  collect: collectCommand,
  cancel: cancelCommand,
}

export const keysCommand: Command = {
  name: 'keys',
  summary: 'list, change and renew the keys of a site',
  help: `Usage: nearhand keys <verb> [options]

Look
  list                          who may sign what, which keys are here, until when the root holds
Change, which makes the next root
  renew                         the same keys for another year
  rotate <role or id> [<.pub>]  a new key in the place of an old one, made here unless its .pub is given
  add <role> [<.pub> ...]       another key for a role, made here unless its .pub is given
  rotate swarm                  a new swarm.secret; no root changes
  revoke <id>                   one key less
  cancel                        drop a next root that waits for signatures
Sign where several root keys must, each on a machine of its own
  make <file>                   a new key <file> that stays there, and <file>.pub to hand over
  sign [<root.next.json>]       add the signatures of the root keys that are here
  collect <root.next.json> ...  take over the signatures of copies that others signed

Roles: root (names all others), head (release key, signs what is published), delegate (a server that publishes
by itself, below its prefixes), fresh (signs every minute what holds), live (streams, below their prefixes),
token (signs visitors' passes). Ids are those of list; their first digits are enough.

  --keys <folder>      the site's keys (default .nearhand/keys)
  --threshold <n>      with add, revoke, renew: how many root keys must sign from then on
  --prefix <path>      with add delegate, add live: a path such as /uploads/; may be given several times
  --life <time>        how long the next root holds (default 365d)
  --fresh-life <time>  with renew: the longest time for which fresh.key may sign from then on, such as 2m for
                       nearhand serve, 24h for a static host that is published each day
  --floor <seq>        with rotate, revoke, renew: no older head is believed any more; "newest" is the one that
                       was last published here (see --state)
  --state <folder>     for --floor newest: what publish or serve remembers (default .nearhand)
  --key <file>         with sign: a root key outside the key folder; may be given several times

A root that needs more signatures than are here waits in root.next.json. Once it has them it becomes root.json
and roots/<n>.json: carry root.json and roots/ to each machine that publishes or serves, and publish.
A running nearhand serve takes them within seconds.
docs/keys.md goes through it step by step.
`,
  async run(args, io) {
    const [name, ...rest] = args
    const names = Object.keys(verbs)
    if (name === undefined) throw new UsageError(`Which verb? (${names.join(', ')})`)
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined
    if (verb === undefined) {
      const nearest = nearestWord(name, names)
      throw new UsageError(
        `Unknown verb ${name}${nearest === undefined ? ` (there are ${names.join(', ')})` : `, did you mean ${nearest}?`}`,
      )
    }
    return verb(rest, io)
  },
}
