import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { uptime } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'

const lockFile = 'lock'
const holderSchema = v.object({ pid: v.number(), started: v.number(), locked: v.number(), folder: v.string() })

/** Who holds a state folder. */
export interface Holder {
  readonly pid: number
  /** The start of the process, and of its hold, in milliseconds since 1970. */
  readonly started: number
  readonly locked: number
  readonly folder: string
}

export interface StateLock {
  /** Does nothing the second time. */
  release(): Promise<void>
}

/**
 * Keeps a state folder to one site at a time: two would take each other's heads and pages for leftovers. Rejects where
 * a process that runs holds it; what a dead one left is taken over.
 *
 * @param folder the site
 */
export async function lockState(state: string, folder: string): Promise<StateLock> {
  const file = join(state, lockFile)
  const own: Holder = { pid: process.pid, started: performance.timeOrigin, locked: Date.now(), folder }
  await mkdir(state, { recursive: true })
  if (!(await take(file, own))) {
    const holder = await readHolder(file)
    if (holder && isHeld(holder)) {
      throw new Error(
        `Cannot use the state in ${state}: process ${holder.pid} uses it for ${holder.folder}; ` +
          `give each site its own by --state (should that be no Nearhand, remove ${file})`,
      )
    }
    await rm(file, { force: true })
    if (!(await take(file, own))) throw new Error(`Cannot use the state in ${state}: another process just took it`)
  }
  let isReleased = false
  return {
    async release() {
      if (isReleased) return
      isReleased = true
      await rm(file, { force: true })
    },
  }
}

/** The process that runs with a state folder; undefined where none does. */
export async function readStateHolder(state: string): Promise<Holder | undefined> {
  const holder = await readHolder(join(state, lockFile))
  return holder && isHeld(holder) ? holder : undefined
}

async function take(file: string, own: Holder): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(own), { flag: 'wx' })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Undefined where a crash cut the writing short. */
async function readHolder(file: string): Promise<Holder | undefined> {
  try {
    return v.parse(holderSchema, JSON.parse(await readFile(file, 'utf8')))
  } catch {
    return undefined
  }
}

/** A number is given again after a restart, in a container even the same one: times tell whose it is. */
function isHeld({ pid, started, locked }: Holder): boolean {
  if (pid === process.pid) return started === performance.timeOrigin
  if (locked < Date.now() - uptime() * 1000) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process is one all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
