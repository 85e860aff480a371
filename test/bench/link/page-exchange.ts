/// <reference lib="dom" />
import type { WorkerToExchange } from '../../../protocol/bridge.ts'
import { parseExchangeToWorker } from '../../../protocol/bridge.ts'
import { chunkCount, chunkLength } from '../../../protocol/chunks.ts'
import { aheadDeadlineMs, pipelineChunks } from '../../../protocol/limits.ts'
import type { PassTrust } from '../../../protocol/pass.ts'
import type { StoredAsset } from '../../../protocol/store-layout.ts'
import { assetObjectStore, deviceNames, storeDatabaseVersion } from '../../../protocol/store-layout.ts'
import type { ExchangeHost } from '../../../sdk/exchange-host.ts'
import { startExchange } from '../../../sdk/exchange-host.ts'
import type { SectionSwarm } from '../../../sdk/exchange-messages.ts'
import { contentOf, StoredDisk } from '../../fakes/stored-disk.ts'
import type { Timeline } from './timeline.ts'

export interface Joined {
  readonly pass: string
  readonly trust: PassTrust
  /** Seconds since 1970, at which the pass holds. */
  readonly now: number
  readonly swarms: readonly SectionSwarm[]
  readonly uploadBytesPerSecond: number
}

export interface ReadResult {
  readonly timeline: Timeline
  /** By reason. */
  readonly misses: Readonly<Record<string, number>>
}

export interface PageExchange {
  readonly host: ExchangeHost
  /** Until so many peers can be asked. */
  untilReady(count: number): Promise<void>
  /** Reads the content again and again, as one response of the service worker would. */
  read(asset: StoredAsset, forMs: number): Promise<ReadResult>
}

const base = '/'
const section = '/'
const retryMs = 50

/** Puts content into the device's store, as the service worker would have. */
export async function storeContent(sizeBytes: number): Promise<StoredAsset> {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(sizeBytes), { section })
  const names = deviceNames(base)
  const cache = await caches.open(names.store)
  for (const [key, bytes] of disk.entries) await cache.put(key, new Response(bytes))
  await new Promise<void>((resolve, reject) => {
    const opening = indexedDB.open(names.database, storeDatabaseVersion)
    opening.onupgradeneeded = () => opening.result.createObjectStore(assetObjectStore)
    opening.onerror = () => reject(new Error('Cannot store: no database'))
    opening.onsuccess = () => {
      const writing = opening.result.transaction(assetObjectStore, 'readwrite')
      writing.objectStore(assetObjectStore).put(asset, asset.id)
      writing.oncomplete = () => {
        opening.result.close()
        resolve()
      }
    }
  })
  return asset
}

export async function joinExchange(joined: Joined): Promise<PageExchange> {
  const { pass, trust, now, swarms, uploadBytesPerSecond } = joined
  let ready = 0
  let changed = (): void => {}
  const host = await startExchange('/nearhand-worker.js', base, {
    received: (message) => {
      if (message.type !== 'peers') return
      ready = message.peers.length
      changed()
    },
    failed: (error) => console.error(String(error)),
  })
  const { port1, port2 } = new MessageChannel()
  const say = (message: WorkerToExchange): void => port1.postMessage(message)
  host.post({ type: 'link', port: port2 }, [port2])
  say({ type: 'passes', site: trust.site, keys: trust.keys, now })
  say({ type: 'rule', servesMs: 86_400_000, off: [], isCutOff: false })
  host.post({ type: 'swarms', swarms, pass })
  host.post({ type: 'upload', bytesPerSecond: uploadBytesPerSecond, bytesLeft: 1e12, day: 1 })
  return {
    host,
    untilReady: (count) =>
      new Promise((resolve) => {
        changed = () => {
          if (ready >= count) resolve()
        }
        changed()
      }),
    read: (asset, forMs) => readAgainAndAgain(port1, say, asset, forMs),
  }
}

function readAgainAndAgain(
  port: MessagePort,
  say: (message: WorkerToExchange) => void,
  asset: StoredAsset,
  forMs: number,
): Promise<ReadResult> {
  const { size, chunkSize } = asset
  const startMs = performance.now()
  const timeline: [number, number][] = []
  const misses: Record<string, number> = {}
  const open = new Map<number, number>()
  let [request, next, bytes, hasEnded] = [0, 0, 0, false]
  const read = (index: number): void => {
    if (hasEnded) return
    request += 1
    open.set(request, index)
    const length = chunkLength(size, chunkSize, index)
    const timing = { deadlineMs: aheadDeadlineMs, promptMs: aheadDeadlineMs, isUrgent: true }
    say({ type: 'read', request, asset: asset.id, section, index, length, ...timing })
  }
  const readNext = (): void => {
    read(next % chunkCount(size, chunkSize))
    next += 1
  }
  port.onmessage = ({ data }: MessageEvent<unknown>) => {
    const answer = parseExchangeToWorker(data)
    if (answer.type === 'chunk') {
      bytes += answer.bytes.byteLength
      timeline.push([performance.now() - startMs, bytes])
      open.delete(answer.request)
      readNext()
    } else if (answer.type === 'miss') {
      misses[answer.reason] = (misses[answer.reason] ?? 0) + 1
      const index = open.get(answer.request)
      open.delete(answer.request)
      if (index !== undefined) setTimeout(() => read(index), retryMs)
    }
  }
  for (let left = pipelineChunks; left > 0; left -= 1) readNext()
  return new Promise((resolve) => {
    setTimeout(() => {
      hasEnded = true
      resolve({ timeline, misses })
    }, forMs)
  })
}
