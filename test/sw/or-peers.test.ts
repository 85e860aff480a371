import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { originSilenceMs } from '../../protocol/limits.ts'
import { orPeers } from '../../sw/or-peers.ts'
import type { Delivery } from '../../sw/sources.ts'
import type { Chunk } from '../../sw/verify.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const { signal } = new AbortController()
const chunk = { index: 3, length: 4, digest: new Uint8Array(32) } as unknown as Chunk
const of = (from: number): Delivery => ({ bytes: Uint8Array.of(from), refuse: () => {} })

function open(origin: () => Promise<Delivery | undefined>) {
  const seen = { asked: 0 }
  const peers = {
    readAgain() {
      seen.asked += 1
      return Promise.resolve(seen.asked === 2 ? of(2) : undefined)
    },
  }
  return { seen, source: orPeers({ name: 'origin', read: origin }, peers) }
}

test('orPeers() asks the peers again and again while the origin hangs', async () => {
  const { seen, source } = open(() => new Promise(() => {}))
  const read = source.read(chunk, signal)
  await vi.advanceTimersByTimeAsync(originSilenceMs - 1)
  expect(seen.asked).toBe(0)
  await vi.advanceTimersByTimeAsync(originSilenceMs * 2)
  expect(await read).toMatchObject({ bytes: Uint8Array.of(2) })
})

test('orPeers() takes what the origin says, and asks nobody after that', async () => {
  for (const answer of [of(1), undefined]) {
    const { seen, source } = open(() => Promise.resolve(answer))
    expect(await source.read(chunk, signal)).toBe(answer)
    await vi.advanceTimersByTimeAsync(originSilenceMs * 2)
    expect(seen.asked).toBe(0)
  }
  const { source } = open(() => Promise.reject(new Error('away')))
  await expect(source.read(chunk, signal)).rejects.toThrow('away')
})
