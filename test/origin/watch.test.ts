import { EventEmitter, once } from 'node:events'
import { chmod, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
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
  await restart(folder)
})

afterEach(async () => {
  watching?.close()
  await rm(root, { recursive: true, force: true })
})

async function restart(place: string): Promise<void> {
  watching?.close()
  watching = await FolderWatch.start(
    place,
    () => events.emit('change'),
    (error) => troubles.push(error),
  )
}

/** To root no folder is closed. */
async function withoutPrivilege(work: () => Promise<void>): Promise<void> {
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    await work()
  } finally {
    if (isRoot) process.seteuid?.(0)
  }
}

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

  test('notices a link to the folder that is led elsewhere, and follows it there', async () => {
    const link = join(root, 'current')
    await symlink('site', link)
    await mkdir(join(root, 'next'))
    await restart(link)
    await changeBy(async () => {
      await symlink('next', `${link}-new`)
      await rename(`${link}-new`, link)
    })
    await changeBy(() => writeFile(join(root, 'next/file'), 'x'))
  })

  test('passes over a folder that it may not read', async () => {
    await mkdir(join(folder, 'lost+found'))
    await chmod(root, 0o755)
    await chmod(join(folder, 'lost+found'), 0)
    await withoutPrivilege(() => restart(folder))
    expect(troubles).toEqual([])
    await changeBy(() => writeFile(join(folder, 'inner/file'), 'x'))
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
