import type { TrafficMessage } from '../../protocol/bridge.ts'
import type { UrlRules } from '../../protocol/url-rules.ts'
import type { StoreMessage } from '../../protocol/store-layout.ts'
import { createWorker } from '../../sw/create-worker.ts'
import type { NearhandWorker } from '../../sw/create-worker.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import type { MadeSite } from './made-site.ts'
import { siteUrl } from './made-site.ts'

export interface MadeWorker extends NearhandWorker {
  readonly disk: MemoryDisk
  readonly told: {
    readonly store: StoreMessage[]
    readonly traffic: TrafficMessage[]
    rules: boolean[]
    relinks: number
    unregistrations: number
  }
  readonly reports: unknown[]
  /** @param path what the worker file's filter made of the URL */
  ask(url: string, path: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  get(path: string, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
}

/** A worker on a device in memory, in front of a made site. */
export function makeWorker(
  site: MadeSite,
  disk = new MemoryDisk(),
  storeLimitBytes = 100_000_000,
  urls?: UrlRules,
): MadeWorker {
  const told: MadeWorker['told'] = { store: [], traffic: [], rules: [], relinks: 0, unregistrations: 0 }
  const reports: unknown[] = []
  const config = {
    version: 1,
    root: site.root,
    patterns: ['/**'],
    base: '/',
    offlinePages: true,
    pinsPages: true,
    storeLimitBytes,
    urls,
  } as const
  const worker = createWorker(config, {
    location: { origin: new URL(siteUrl).origin },
    disk: { store: disk.store, state: disk.state, parts: disk.partCache },
    fetch: site.fetch,
    now: () => site.now,
    random: () => 0.5,
    tellPages: (message) => {
      if (message.type === 'nearhand:relink') told.relinks += 1
      else told.rules.push(message.peers)
    },
    unregister: () => void (told.unregistrations += 1),
    tellStore: (message) => void told.store.push(message),
    tellTraffic: (message) => void told.traffic.push(message),
    untilFree: () => new Promise(() => {}),
    report: (error) => void reports.push(error),
  })
  const ask: MadeWorker['ask'] = (url, path, headers = {}, signal = new AbortController().signal) =>
    worker.route.answer(new Request(new URL(url, siteUrl), { headers, signal }), path, 'page')
  const get: MadeWorker['get'] = (path, headers = {}, signal = new AbortController().signal) =>
    ask(path, path, headers, signal)
  return { ...worker, disk, told, reports, ask, get }
}
