import { EventEmitter, once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FolderWatch } from '../../origin/watch.ts'

let root = ''
let folder = ''
let watching: FolderWatch | undefined
let events: EventEmitter
const troubles: unknown[] = []

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nearhand-watch-'))
  folder = join(root, 'site')
  await mkdir(join(folder, 'inner'), { recursive: true })
  events = new EventEmitter()
  troubles.length = 0
  watching = await FolderWatch.start(
    folder,
    () => events.emit('change'),
    (error) => troubles.push(error),
  )
})

afterEach(async () => {
  watching?.close()
  await rm(root, { recursive: true, force: true })
})

/** Resolves when a change is told that comes of this. */
async function changeBy(work: () => Promise<unknown>): Promise<void> {
  const change = once(events, 'change')
  await work()
  await change
}

describe('FolderWatch', { timeout: 20_000 }, () => {
  test('tells of files in folders that were made after it began', async () => {
    await changeBy(() => mkdir(join(folder, 'new/deep'), { recursive: true }))
    await changeBy(() => writeFile(join(folder, 'new/deep/file'), 'x'))
  })

  test('follows a folder that is replaced at once, whatever inode the new one gets', async () => {
    for (let round = 0; round < 3; round += 1) {
      await changeBy(async () => {
        await rm(join(folder, 'inner'), { recursive: true })
        await mkdir(join(folder, 'inner'))
      })
      await changeBy(() => writeFile(join(folder, 'inner/file'), String(round)))
    }
  })

  test('follows the watched folder itself when it is swapped for another', async () => {
    await mkdir(join(root, 'next'))
    await changeBy(async () => {
      await rename(folder, join(root, 'before'))
      await rename(join(root, 'next'), folder)
    })
    await changeBy(() => writeFile(join(folder, 'file'), 'x'))
  })

  test('waits for a folder that is gone, and tells of the trouble once', async () => {
    await rm(folder, { recursive: true })
    await expect.poll(() => troubles.length, { timeout: 10_000 }).toBe(1)
    await changeBy(() => mkdir(folder))
    await changeBy(() => writeFile(join(folder, 'file'), 'x'))
    expect(troubles).toHaveLength(1)
  })

  test('tells of many changes at once as of one', async () => {
    let changes = 0
    events.on('change', () => (changes += 1))
    await changeBy(async () => {
      for (let file = 0; file < 100; file += 1) await writeFile(join(folder, `file-${file}`), 'x')
    })
    expect(changes).toBeLessThan(10)
  })

  test('tells nothing after close()', async () => {
    let changes = 0
    events.on('change', () => (changes += 1))
    await writeFile(join(folder, 'file'), 'x')
    watching?.close()
    watching = await FolderWatch.start(
      folder,
      () => events.emit('second'),
      () => undefined,
    )
    const second = once(events, 'second')
    await writeFile(join(folder, 'other'), 'x')
    await second
    expect(changes).toBe(0)
  })
})
