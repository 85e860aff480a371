import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'
import type { Deeds } from './hostile-peer.ts'
import type { HostileOrders } from './hostile-process.ts'
import type { Misdeed } from './misdeeds.ts'
import type { Scene } from './scene.ts'
import type { Site } from './site.ts'

const entry = fileURLToPath(new URL('hostile-process.ts', import.meta.url))
const dist = fileURLToPath(new URL('../../../dist', import.meta.url))

/** A hostile peer in a process of its own: its WebRTC engine may crash, and must not take the tests with it. */
export class HostileProcess {
  readonly #process: ChildProcess
  #last: Deeds | undefined

  constructor(process: ChildProcess) {
    this.#process = process
    process.on('message', ({ deeds }: Told) => {
      this.#last = deeds
    })
  }

  /** All it did; after a crash, all it told before. */
  async deeds(): Promise<Deeds> {
    if (this.#process.connected) await this.#ask()
    if (this.#last === undefined) throw new Error('Cannot ask the hostile peer: it never joined')
    return this.#last
  }

  /** Resolves with its answer, or when it ends. */
  #ask(): Promise<void> {
    return new Promise((resolve) => {
      const settle = (): void => {
        this.#process.off('message', hear)
        this.#process.off('disconnect', settle)
        resolve()
      }
      const hear = ({ isAnswer }: Told): void => {
        if (isAnswer) settle()
      }
      this.#process.on('message', hear)
      this.#process.on('disconnect', settle)
      // A send that fails ends in `disconnect` as well.
      this.#process.send('deeds?', () => {})
    })
  }
}

interface Told {
  readonly deeds: Deeds
  readonly isAnswer: boolean
}

/** Resolves when it is in the swarm, and holds every asset of the site. */
export async function startHostilePeer(
  scene: Scene,
  site: Site,
  misdeed: Misdeed,
  isThief: boolean = false,
): Promise<HostileProcess> {
  // Node runs no TypeScript, and what it imports is found from inside the repository only.
  const folder = await mkdtemp(join(dist, 'hostile-peer-'))
  scene.onEnd(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'peer.mjs')
  await build({ input: entry, platform: 'node', external: /^[^./]/, output: { file, format: 'esm' } })
  const orders: HostileOrders = {
    origin: site.url,
    folder: site.folder,
    paths: [...site.assets.keys()],
    misdeed,
    isThief,
  }
  const child = fork(file, [JSON.stringify(orders)], { execArgv: [] })
  scene.onEnd(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  const peer = new HostileProcess(child)
  const joined = once(child, 'message')
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`Cannot start the hostile peer: it ended (${code})`)
  })
  ended.catch(() => {}) // later ends are the peer's own affair
  await Promise.race([joined, ended])
  return peer
}
