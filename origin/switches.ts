import { join } from 'node:path'
import * as v from 'valibot'
import { utf8 } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import { contentIdSchema } from '../protocol/ids.ts'
import { parseJson } from '../protocol/json.ts'
import {
  freshLimitBytes,
  graceLimitSeconds,
  minimumSwarmLimit,
  pathLimit,
  prefixLimit,
  revokedLimit,
} from '../protocol/limits.ts'
import { canonicalPath } from '../protocol/paths.ts'
import { list, text, whole } from '../protocol/schemas.ts'
import type { Switches } from './fresh.ts'
import { defaultSwitches } from './fresh.ts'
import { readText } from './keys-chain.ts'
import { writeAtomically } from './write-atomically.ts'

/*
 * What an operator switched, in a file of the state folder, so that it outlives restarts and publishes. A server signs
 * it into every fresh. What the file does not say is as by default.
 */

export interface SwitchesFile extends Omit<Switches, 'revoked'> {
  readonly takedowns: readonly Takedown[]
}

/** Content that nobody is to serve any more, and what it was called, for the one who undoes it. */
export interface Takedown {
  readonly id: ContentId
  /** Null where it was named by its id. */
  readonly path: string | null
  /** Seconds since 1970. */
  readonly at: number
}

const fileName = 'switches.json'
// Room in a fresh for everything else.
const signedLimitBytes = freshLimitBytes - 2048
const fileLimitBytes = 1024 * 1024

const path = v.pipe(
  text(pathLimit),
  v.check((spelled) => canonicalPath(spelled) === spelled, 'not a canonical path'),
)
const prefix = v.pipe(
  path,
  v.check((spelled) => spelled.endsWith('/'), 'a prefix ends in /'),
)
const schema = v.strictObject({
  peers: v.optional(v.boolean(), defaultSwitches.peers),
  off: v.optional(list(prefix, prefixLimit), []),
  share: v.optional(
    v.pipe(
      v.number(),
      v.check((share) => share >= 0 && share <= 1, 'not from 0 to 1'),
    ),
    defaultSwitches.share,
  ),
  minimumSwarm: v.optional(whole(1, minimumSwarmLimit), defaultSwitches.minimumSwarm),
  grace: v.optional(whole(0, graceLimitSeconds), defaultSwitches.grace),
  unregister: v.optional(v.boolean(), defaultSwitches.unregister),
  takedowns: v.optional(
    list(v.strictObject({ id: contentIdSchema, path: v.nullable(path), at: whole() }), revokedLimit),
    [],
  ),
})

/** Throws a ProtocolError where the text is no switches file, or says more than a fresh can carry. */
export function parseSwitches(file: string): SwitchesFile {
  return parseJson(
    v.pipe(
      schema,
      v.check(
        (parsed) => utf8(JSON.stringify(switchesOf(parsed))).length <= signedLimitBytes,
        'more than can be signed',
      ),
    ),
    file,
    fileLimitBytes,
    fileName,
  )
}

/** As by default where there is no file. Throws where it cannot be read. */
export async function readSwitches(state: string): Promise<SwitchesFile> {
  return parseSwitches((await readText(switchesFileOf(state))) ?? '{}')
}

/** Throws, and writes nothing, where it would not be read again. */
export async function writeSwitches(state: string, switches: SwitchesFile): Promise<void> {
  const content = `${JSON.stringify(switches, undefined, 2)}\n`
  parseSwitches(content)
  await writeAtomically(switchesFileOf(state), content)
}

export function switchesFileOf(state: string): string {
  return join(state, fileName)
}

/** What a fresh says of them. */
export function switchesOf({ takedowns, ...switches }: SwitchesFile): Switches {
  return { ...switches, revoked: [...new Set(takedowns.map(({ id }) => id))] }
}

/** One line for each thing that is not as by default. */
export function describeSwitches(file: SwitchesFile): string {
  const lines: string[] = []
  if (file.unregister) lines.push('every worker of the site unregisters itself')
  if (!file.peers) lines.push('peers are off for the whole site')
  for (const off of file.off) lines.push(`peers are off below ${off}`)
  if (file.share < 1) lines.push(`${file.share * 100} % of the visitors may use peers`)
  if (file.minimumSwarm !== defaultSwitches.minimumSwarm) lines.push(`no peers in swarms below ${file.minimumSwarm}`)
  if (file.grace !== defaultSwitches.grace) lines.push(`grace of ${file.grace} seconds`)
  for (const { id, path: name, at } of file.takedowns) {
    lines.push(`taken down: ${name ?? 'content'} ${id} (${new Date(at * 1000).toISOString().slice(0, 16)} UTC)`)
  }
  return lines.length === 0 ? 'Everything is on\n' : `${lines.map((line) => `  ${line}`).join('\n')}\n`
}
