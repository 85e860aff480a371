import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { ContentId } from '../../protocol/ids.ts'
import { deviceWaitMs, storePauseMs } from '../../protocol/limits.ts'
import { impatient } from '../../sw/patience.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { expectBody, image, liveSite, readyWorker } from './route-scene.ts'

const id = 'a'.repeat(64) as ContentId

function silentDisk() {
  const disk = new MemoryDisk()
  const never = (): Promise<never> => new Promise(() => {})
  const device = { store: { ...disk.store, getRow: never }, state: disk.state, parts: disk.partCache }
  return impatient(device, () => Date.now())
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }))
afterEach(() => void vi.useRealTimers())

test('impatient() waits for a silent device once, then fails at once for a while', async () => {
  const device = silentDisk()
  const first = device.store.getRow(id)
  first.catch(() => {})
  await vi.advanceTimersByTimeAsync(deviceWaitMs)
  await expect(first).rejects.toThrow('does not answer')
  await expect(device.state.load('x'), 'without another wait').rejects.toThrow('does not answer')
  await vi.advanceTimersByTimeAsync(storePauseMs)
  expect(await device.state.load('x')).toBeUndefined()
})

test('impatient() tells a failure as it is', async () => {
  const disk = new MemoryDisk()
  disk.failure = new Error('broken')
  const device = impatient({ store: disk.store, state: disk.state, parts: disk.partCache }, () => 0)
  await expect(device.store.getRow(id)).rejects.toBe(disk.failure)
})

test('a page gets its asset while the database never answers', async () => {
  vi.useRealTimers()
  const site = await liveSite()
  const worker = await readyWorker(site)
  worker.disk.store.getRow = () => new Promise(() => {})
  worker.disk.state.save = () => new Promise(() => {})
  await expectBody(await worker.get('/image.jpg'), image)
})
