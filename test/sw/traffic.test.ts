import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { TrafficMessage } from '../../protocol/bridge.ts'
import { parseTraffic } from '../../protocol/bridge.ts'
import type { PeerId } from '../../protocol/ids.ts'
import { trafficFlushMs, trafficSaveMs } from '../../protocol/limits.ts'
import type { GivenPort } from '../../sw/messages.ts'
import { receiveMessage } from '../../sw/messages.ts'
import type { CheckedChunk } from '../../sw/sources.ts'
import { Traffic } from '../../sw/traffic.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset, verifiedChunk } from './made-asset.ts'

const made = await makeAsset('/a', contentOf(200_000))
const bytes = await verifiedChunk(made, 0)
const peer = 'b'.repeat(32) as PeerId

function chunk(index: number, source: CheckedChunk['source']): CheckedChunk {
  const place = { index, offset: 0, length: bytes.length, digest: new Uint8Array(32) }
  return { chunk: place, bytes, source, peer: source === 'peer' ? peer : undefined }
}

function open(disk = new MemoryDisk()) {
  const told: TrafficMessage[] = []
  const traffic = new Traffic({ state: disk.state, tell: (message) => void told.push(message), report: () => {} })
  return { traffic, told, disk }
}

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('Traffic', () => {
  test('tells what happened to an asset in one message', async () => {
    const { traffic, told } = open()
    traffic.onDelivered(made.asset, chunk(0, 'store'), 10)
    traffic.onDelivered(made.asset, chunk(1, 'peer'), 20)
    expect(told).toEqual([])
    await vi.advanceTimersByTimeAsync(trafficFlushMs)
    const chunks = [
      { index: 0, source: 'store', bytes: 10 },
      { index: 1, source: 'peer', bytes: 20, peer },
    ]
    expect(told.map(parseTraffic)).toEqual([{ path: '/a', size: 200_000, chunkSize: 65_536, chunks }])
    traffic.flush()
    expect(told).toHaveLength(1)
  })

  test('adds up over the lives of the worker', async () => {
    const { traffic, disk } = open()
    traffic.onPrefetched('peer', 4)
    traffic.onPrefetched('store', 99)
    traffic.onRequest()
    traffic.onFallback()
    traffic.onBad('peer', 5)
    traffic.onBad('store', 99)
    traffic.onDelivered(made.asset, chunk(0, 'origin'), 7)
    await vi.advanceTimersByTimeAsync(trafficSaveMs)
    const later = open(disk).traffic
    later.onPrefetched('peer', 3)
    later.onPrefetched('origin', 9)
    later.onRequest()
    later.onDelivered(made.asset, chunk(0, 'peer'), 3)
    expect(await later.totals()).toEqual({
      bytes: { store: 0, peers: 3, origin: 7 },
      duplicateBytes: 5,
      prefetchedBytes: { peers: 7, origin: 9 },
      requests: 2,
      fallbacks: 1,
      badChunks: 2,
    })
  })

  test.each([7, {}, { bytes: {}, requests: -1 }])(
    'begins anew where a script wrote %j over its sums',
    async (value) => {
      const { traffic, disk } = open()
      disk.values.set('traffic', value)
      traffic.onRequest()
      expect((await traffic.totals()).requests).toBe(1)
    },
  )
})

describe('receiveMessage()', () => {
  function receive(message: unknown, hasPort = true) {
    const said: unknown[] = []
    const done: string[] = []
    const port: GivenPort = { listen: () => {}, post: (answer) => void said.push(answer), close: () => {} }
    const parts = {
      bridge: { link: () => void done.push('link'), unlink: (owner: string) => void done.push(`unlink ${owner}`) },
      traffic: open().traffic,
      budget: { failures: 2, isSpent: false },
      manifests: {
        take: async (envelope: string) => void done.push(`take ${envelope}`),
        trackerIs: (isReachable: boolean) => void done.push(`tracker ${isReachable}`),
        tellRule: async () => void done.push('rule'),
        settled: async () => void done.push('settled'),
      },
      prefetch: { take: async (urls: readonly string[]) => void done.push(`prefetch ${urls.length}`) },
      disable: async () => void done.push('disable'),
      enable: async () => void done.push('enable'),
    }
    return receiveMessage(message, hasPort ? port : undefined, 'page', parts).then(() => ({ said, done }))
  }

  test('obeys the messages of a page', async () => {
    expect((await receive({ type: 'nearhand:link', version: 1 })).done).toEqual(['link', 'rule'])
    expect((await receive({ type: 'nearhand:fresh', envelope: '{}' })).done).toEqual(['take {}'])
    expect((await receive({ type: 'nearhand:tracker', isReachable: true })).done).toEqual(['tracker true'])
    const prefetch = { type: 'nearhand:prefetch', urls: ['/a', '/b'], mayAskOrigin: false }
    expect((await receive(prefetch)).done).toEqual(['prefetch 2'])
    expect((await receive({ type: 'nearhand:unlink' })).done).toEqual(['unlink page'])
    expect(await receive({ type: 'nearhand:disable' })).toEqual({ done: ['disable'], said: [true] })
    expect(await receive({ type: 'nearhand:ready' })).toEqual({ done: ['settled'], said: [true] })
    expect(await receive({ type: 'nearhand:enable' })).toEqual({ done: ['enable'], said: [true] })
    expect((await receive({ type: 'nearhand:stats' })).said).toEqual([
      expect.objectContaining({ requests: 0, failures: 2, isSpent: false }),
    ])
  })

  test.each([undefined, null, 'text', 5, [], {}, { type: 'SKIP_WAITING' }, { type: 5 }])(
    'leaves the site’s own message %j alone',
    async (message) => expect(await receive(message)).toEqual({ said: [], done: [] }),
  )

  test('does not link without a port, or with another version', async () => {
    expect((await receive({ type: 'nearhand:link', version: 1 }, false)).done).toEqual([])
    expect((await receive({ type: 'nearhand:link', version: 2 })).done).toEqual([])
  })

  test('refuses a message of ours that is malformed', async () => {
    await expect(receive({ type: 'nearhand:link', version: 'x' })).rejects.toThrow('Cannot read')
    await expect(receive({ type: 'nearhand:else' })).rejects.toThrow('Cannot read')
  })
})
