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

  constructor(process: ChildProcess) {
    this.#process = process
  }

  async deeds(): Promise<Deeds> {
    this.#process.send('deeds?')
    return nextDeeds(this.#process)
  }
}

/** Resolves when it is in the swarm, and holds every asset of the site. */
export async function startHostilePeer(scene: Scene, site: Site, misdeed: Misdeed): Promise<HostileProcess> {
  // Node runs no TypeScript, and what it imports is found from inside the repository only.
  const folder = await mkdtemp(join(dist, 'hostile-peer-'))
  scene.onEnd(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'peer.mjs')
  await build({ input: entry, platform: 'node', external: /^[^./]/, output: { file, format: 'esm' } })
  const orders: HostileOrders = { origin: site.url, folder: site.folder, paths: [...site.assets.keys()], misdeed }
  const child = fork(file, [JSON.stringify(orders)], { execArgv: [] })
  scene.onEnd(async () => {
    const ended = once(child, 'exit')
    if (child.kill('SIGKILL')) await ended
  })
  await nextDeeds(child)
  return new HostileProcess(child)
}

async function nextDeeds(child: ChildProcess): Promise<Deeds> {
  const ended = new AbortController()
  const onExit = (code: number | null): void =>
    ended.abort(new Error(`Cannot ask the hostile peer: it ended (${code})`))
  child.once('exit', onExit)
  try {
    const [deeds] = (await once(child, 'message', { signal: ended.signal })) as [Deeds]
    return deeds
  } finally {
    child.off('exit', onExit)
  }
}
