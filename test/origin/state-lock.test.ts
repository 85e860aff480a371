import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { lockState } from '../../origin/state-lock.ts'

let state = ''
let file = ''

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'nearhand-lock-'))
  file = join(state, 'lock')
})
afterEach(() => rm(state, { recursive: true, force: true }))

const now = Date.now()
const lock = () => lockState(state, '/srv/site')
const hold = (holder: object) =>
  writeFile(file, JSON.stringify({ started: 1, locked: now, folder: '/srv/other', ...holder }))

describe('lockState()', () => {
  test('refuses a second holder until the first releases it', async () => {
    const first = await lock()
    await expect(lock()).rejects.toThrow(`process ${process.pid} uses it for /srv/site; give each site its own`)
    await first.release()
    const second = await lock()
    await first.release()
    await expect(lock()).rejects.toThrow('uses it')
    await second.release()
  })

  test('refuses where another process runs that holds it', async () => {
    await hold({ pid: process.ppid })
    await expect(lock()).rejects.toThrow(`process ${process.ppid} uses it for /srv/other`)
  })

  test('takes over from a process that is gone', async () => {
    await hold({ pid: spawnSync(process.execPath, ['--version']).pid })
    await lock()
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid, folder: '/srv/site' })
  })

  test.each([
    ['before this machine started', { pid: process.ppid, locked: 1 }],
    ['by a process that had our number', { pid: process.pid }],
  ])('takes over what was locked %s', async (_, holder) => {
    await hold(holder)
    await lock()
  })

  test.each(['', '{', '{"pid":"1"}'])('takes over a lock that reads %j', async (text) => {
    await writeFile(file, text)
    await lock()
  })
})
