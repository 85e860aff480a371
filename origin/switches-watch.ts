import { unwatchFile, watchFile } from 'node:fs'
import { switchesPollMs } from '../protocol/limits.ts'
import type { Switches } from './fresh.ts'
import { defaultSwitches } from './fresh.ts'
import { readSwitches, switchesFileOf, switchesOf } from './switches.ts'

/** Looks at the switches of a state folder for as long as a server runs. */
export class SwitchesWatch {
  readonly #file: string
  readonly #listener: () => void

  private constructor(file: string, listener: () => void) {
    this.#file = file
    this.#listener = listener
  }

  /**
   * Tells the switches as they are, then each change. A file that cannot be read leaves them as they were; at the start,
   * where nobody knows what was taken down, it turns peers off: the site itself goes on.
   */
  static async start(
    state: string,
    onChange: (switches: Switches) => void,
    log: (line: string) => void,
  ): Promise<SwitchesWatch> {
    let last: string | undefined
    const look = async (): Promise<void> => {
      try {
        const switches = switchesOf(await readSwitches(state))
        if (JSON.stringify(switches) === last) return
        last = JSON.stringify(switches)
        onChange(switches)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        log(`${reason}; ${last === undefined ? 'peers are off until it is mended' : 'the switches stay as they were'}`)
        if (last === undefined) onChange({ ...defaultSwitches, peers: false })
      }
    }
    await look()
    // Asked for, not told of: watchers miss what lies on a network or was bound into a container.
    const listener = (): void => void look()
    const file = switchesFileOf(state)
    watchFile(file, { interval: switchesPollMs, persistent: false }, listener)
    return new SwitchesWatch(file, listener)
  }

  close(): void {
    unwatchFile(this.#file, this.#listener)
  }
}
