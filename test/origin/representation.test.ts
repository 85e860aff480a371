import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { fileRepresentation } from '../../origin/representation.ts'
import { stallWaitMs } from '../../protocol/limits.ts'

const size = 1_000_000

let folder = ''
let handle: FileHandle

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  folder = await mkdtemp(join(tmpdir(), 'nearhand-representation-'))
  await writeFile(join(folder, 'file'), new Uint8Array(size))
  handle = await open(join(folder, 'file'))
})

afterEach(async () => {
  vi.useRealTimers()
  await handle.close()
  await rm(folder, { recursive: true })
})

function read(): ReadableStreamDefaultReader<Uint8Array> {
  return fileRepresentation(handle, { etag: '"x"', size, headers: [] }).read(0, size).getReader()
}

/** Waits without timers, which stand still here. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setImmediate()
}

test('fileRepresentation() closes a file that nobody reads on', async () => {
  const reader = read()
  // The stream reads one piece ahead, and waits from then on.
  await until(() => vi.getTimerCount() === 1)
  vi.advanceTimersByTime(stallWaitMs)
  await until(() => handle.fd === -1)
  await reader.read()
  await expect(reader.read()).rejects.toThrow('nobody read on')
})

test('fileRepresentation() waits for a slow reader again after each piece', async () => {
  const reader = read()
  let length = 0
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    length += piece.value.length
    await until(() => handle.fd === -1 || vi.getTimerCount() === 1)
    vi.advanceTimersByTime(stallWaitMs - 1)
  }
  expect([length, vi.getTimerCount()]).toEqual([size, 0])
})
