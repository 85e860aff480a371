import type { CommandIo } from './command.ts'
import { readStateHolder } from './state-lock.ts'
import type { SwitchesFile } from './switches.ts'
import { describeSwitches, readSwitches, writeSwitches } from './switches.ts'

/** Changes the switches of a state folder, and tells what holds now and who learns of it when. */
export async function changeSwitches(
  state: string,
  io: CommandIo,
  edit: (before: SwitchesFile) => SwitchesFile,
): Promise<number> {
  const before = await readSwitches(state)
  const after = edit(before)
  const isSame = JSON.stringify(before) === JSON.stringify(after)
  if (!isSame) await writeSwitches(state, after)
  io.stdout.write(
    `${isSame ? 'That is so already. ' : ''}Now:\n${describeSwitches(after)}${await describeReach(state)}`,
  )
  return 0
}

/** When visitors learn of what the switches say. */
export async function describeReach(state: string): Promise<string> {
  const holder = await readStateHolder(state)
  return holder === undefined
    ? `No server runs with the state in ${state}. A server that starts with it takes this up; on a static host it\n` +
        'holds from the next nearhand publish, once earlier words have run out (--fresh-life).\n'
    : `Process ${holder.pid} serves ${holder.folder}: it tells connected visitors within seconds, the others ask within 2 minutes\n` +
        '(or the freshSeconds of your own).\n'
}
