import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findOnDisk } from '../../origin/disk-file.ts'

let root = ''
let folder = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nearhand-disk-'))
  folder = join(root, 'site')
  await mkdir(join(folder, 'inner/.hidden'), { recursive: true })
  await writeFile(join(folder, 'inner/.hidden/file'), 'x')
  await writeFile(join(folder, 'file'), 'x')
})

afterEach(() => rm(root, { recursive: true, force: true }))

async function typeOf(path: string, hidden: readonly string[] = []): Promise<string | undefined> {
  const found = await findOnDisk(folder, path, hidden)
  if (found?.type === 'file') await found.handle.close()
  return found?.type
}

test('findOnDisk() tells files from folders', async () => {
  expect([await typeOf('/file'), await typeOf('/inner'), await typeOf('/'), await typeOf('/none')]).toEqual([
    'file',
    'folder',
    'folder',
    undefined,
  ])
})

test('findOnDisk() passes over pipes without waiting for a writer', async () => {
  execFileSync('/usr/bin/mkfifo', [join(folder, 'pipe')])
  expect(await typeOf('/pipe')).toBeUndefined()
})

test('findOnDisk() passes over links that loop, lead out, or lead to what is hidden', async () => {
  await symlink('loop', join(folder, 'loop'))
  await symlink('/etc/hostname', join(folder, 'host'))
  await symlink('inner/.hidden', join(folder, 'shown'))
  await symlink('..', join(folder, 'inner/up'))
  await mkdir(join(root, 'site-2'))
  await symlink('../site-2', join(folder, 'sibling'))
  for (const path of ['/loop', '/host', '/shown/file', '/sibling', '/inner/.hidden/file']) {
    expect(await typeOf(path)).toBeUndefined()
  }
  expect(await typeOf('/inner/up/file')).toBe('file')
})

test('findOnDisk() passes over secret folders and all below', async () => {
  expect(await typeOf('/inner', [join(folder, 'inner')])).toBeUndefined()
  expect(await typeOf('/file', [join(folder, 'inner')])).toBe('file')
})
