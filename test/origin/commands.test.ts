import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { initCommand } from '../../origin/command-init.ts'
import { keygenCommand } from '../../origin/command-keygen.ts'
import { publishCommand } from '../../origin/command-publish.ts'
import { serveCommand } from '../../origin/command-serve.ts'
import { verifyCommand } from '../../origin/command-verify.ts'
import { makeKeys } from '../../origin/keys.ts'
import { runCli } from '../../origin/run-cli.ts'
import { lockState } from '../../origin/state-lock.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nearhand-commands-'))
  await mkdir(join(folder, 'site'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function nearhand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (written[name] += text) })
  const io = { stdout: output('stdout'), stderr: output('stderr'), cwd: folder, signal: new AbortController().signal }
  const commands = [serveCommand, publishCommand, verifyCommand, initCommand, keygenCommand]
  return { code: await runCli(args, commands, '', io), ...written }
}

describe('the commands', () => {
  test('makes keys once, and refuses to use keys that others may read', async () => {
    expect((await nearhand('keygen', '--keys', 'k')).stdout).toContain('Made the keys of site')
    expect(await nearhand('keygen', '--keys', 'k')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('already holds those of site'),
    })
    await chmod(join(folder, 'k/head.key'), 0o644)
    expect(await nearhand('publish', 'site', '--keys', 'k')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`run chmod 600 ${join(folder, 'k/head.key')}`),
    })
  })

  test('publishes nothing with a state that is in use, and leaves it free', async () => {
    const lock = await lockState(join(folder, '.nearhand'), '/other/site')
    expect(await nearhand('publish', 'site', '--keys', 'k')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`process ${process.pid} uses it for /other/site`),
    })
    expect(await readdir(folder)).toEqual(['.nearhand', 'site'])
    await lock.release()
    for (const time of [1, 2]) expect([time, (await nearhand('publish', 'site')).stderr]).not.toContain('uses it')
  })

  test('tells until when what it published holds, which is the shortest life of all', async () => {
    const now = Math.floor(Date.now() / 1000)
    const day = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 10)
    const random = (length: number) => new Uint8Array(randomBytes(length))
    await makeKeys(join(folder, 'new'), { now, random, freshSeconds: 30 * 86_400 })
    expect(
      await nearhand('publish', 'site', '--keys', 'new', '--fresh-life', '30d', '--head-life', '5d'),
    ).toMatchObject({
      stderr: '',
      stdout: expect.stringContaining(`Visitors use peers until ${day(now + 5 * 86_400)}`),
    })
    await makeKeys(join(folder, 'old'), { now: now - 366 * 86_400, random })
    expect(await nearhand('publish', 'site', '--keys', 'old')).toMatchObject({
      stdout: expect.stringContaining('Visitors use no peers'),
      stderr: expect.stringContaining(`The root of the keys ended on ${day(now - 86_400)}`),
    })
  })

  test('publishes rules of URLs and guards, tells both to the tracker, and names an ignored token that nothing guards', async () => {
    const rules = ['--ignore-query', '/video/**?token', '--asset-host', 'https://media.test=/video/']
    const open = await nearhand('publish', 'site', ...rules)
    expect(open).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('nothing else guards the files: /video/**?token'),
    })
    const guard = ['--guard', '/video/', '--section', '/live/', '--tracker', 'https://t.test']
    const guarded = await nearhand('publish', 'site', ...rules, ...guard)
    expect(guarded.stderr).toBe('')
    expect(guarded.stdout).toContain(' --section /live/ --guard /video/ --admit https://')
    const worker = await readFile(join(folder, 'site/nearhand-sw.js'), 'utf8')
    expect(worker).toContain('"hosts":[{"host":"https://media.test","from":"/","to":"/video/"}]')
    expect((await nearhand('verify', 'site')).stdout).toContain('All is right')
    expect((await nearhand('init', 'site')).code).toBe(0)
    expect((await nearhand('verify', 'site')).stdout).toContain('not those of the head')
  })

  test.each([
    ['a guard that is no folder', ['publish', 'site', '--guard', '/video'], 'section "/video"'],
    ['a parameter that is none', ['publish', 'site', '--ignore-query', 'a=b'], 'not a plain parameter name'],
    ['another host over http', ['init', 'site', '--asset-host', 'http://media.test'], 'not of the form https://host'],
    ['keys in the folder that is published', ['publish', '.'], 'would be published'],
    ['keys that a link puts there', ['publish', 'site', '--keys', 'link/keys'], 'would be published'],
    ['state in the folder that is published', ['publish', 'site', '--state', 'site/state'], 'keep it out of'],
    ['a head of two years', ['publish', 'site', '--head-life', '731d'], '366d at most'],
    ['a fresh of a year', ['publish', 'site', '--fresh-life', '365d'], '30d at most'],
    ['an unknown option', ['publish', 'site', '--kyes', 'k'], 'did you mean --keys?'],
    ['no folder', ['publish'], 'Which folder?'],
    ['a folder that is not there', ['publish', 'none'], 'there is no such folder'],
    ['an argument too many', ['keygen', 'k'], 'What is k?'],
    ['a life that is no time', ['publish', 'site', '--fresh-life', 'soon'], 'not a time such as'],
    ['a base without slash', ['init', 'site', '--base', 'docs'], 'base "docs"'],
    ['a base that no URL begins with', ['publish', 'site', '--base', '/ü/'], 'escaped as in a URL'],
    ['a section without slash', ['publish', 'site', '--section', 'live'], 'section "live"'],
    ['a pattern without slash', ['publish', 'site', '--pattern', 'foo'], 'foo'],
    ['a folder to serve that is not there', ['serve', 'none'], 'there is no such folder'],
    ['one name for two scripts', ['init', 'site', '--tag-file', 'nearhand-sw.js'], 'a name of its own'],
    ['a URL with a query', ['verify', 'http://localhost/?a'], 'no query'],
  ])('ends with 2 on %s, and writes nothing', async (_, args, reason) => {
    await symlink('site', join(folder, 'link'))
    expect(await nearhand(...args)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(reason) })
    expect(await readdir(folder)).toEqual(['link', 'site'])
    expect(await readdir(join(folder, 'site'))).toEqual([])
  })
})
