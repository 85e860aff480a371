import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { keygenCommand } from '../../origin/command-keygen.ts'
import { keysCommand } from '../../origin/command-keys.ts'
import { publishCommand } from '../../origin/command-publish.ts'
import { readKeys } from '../../origin/keys.ts'
import { runCli } from '../../origin/run-cli.ts'
import { openNextRoot, openPinnedRoot } from '../../protocol/trusted-manifest.ts'

let folder = ''
const at = (...names: string[]) => join(folder, ...names)
const text = (...names: string[]) => readFile(at(...names), 'utf8')

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nearhand-keys-'))
  await nearhand('keygen', '--keys', 'k')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function nearhand(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (piece: string) => (written[name] += piece) })
  const io = { stdout: output('stdout'), stderr: output('stderr'), cwd: folder, signal: new AbortController().signal }
  return { code: await runCli(args, [keysCommand, keygenCommand, publishCommand], '', io), ...written }
}

const keys = (verb: string, ...args: string[]) => nearhand('keys', verb, ...args, '--keys', 'k')

/** Root 2 with three keys, of which two must sign, none of them in the folder. */
async function makeThreshold(): Promise<void> {
  for (const name of ['ann', 'bob', 'cyd']) await nearhand('keys', 'make', `${name}.key`)
  await keys('add', 'root', 'ann.pub', 'bob.pub', '--threshold', '2')
  await collectFrom('ann')
  await keys('rotate', (await readKeys(at('k'))).rootSigner?.id ?? '', 'cyd.pub')
  await collectFrom('ann', 'cyd')
}

/** Each signs a copy on a machine that has nothing but it, root.json and a key. */
async function collectFrom(...names: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  for (const name of names) {
    await mkdir(at(`stick-${name}`), { recursive: true })
    for (const file of ['root.next.json', 'root.json']) await copyFile(at('k', file), at(`stick-${name}`, file))
    const signed = await nearhand('keys', 'sign', `stick-${name}/root.next.json`, '--key', `${name}.key`)
    expect(signed).toMatchObject({ code: 0, stderr: '' })
  }
  return keys('collect', ...names.map((name) => `stick-${name}/root.next.json`))
}

describe('nearhand keys', () => {
  test.each<[string, string[], () => Promise<unknown>, string]>([
    [
      'no folder of keys',
      ['list', '--keys', 'none'],
      async () => {},
      'another folder by --keys, new keys by nearhand keygen',
    ],
    [
      'a second key of one name',
      ['make', 'ann.key'],
      () => nearhand('keys', 'make', 'ann.key'),
      'ann.key is there already',
    ],
    ['a key in no folder', ['make', 'none/ann.key'], async () => {}, 'there is no folder'],
    ['a .pub that is not there', ['add', 'root', 'ann.pub', '--keys', 'k'], async () => {}, 'there is no such file'],
    [
      'half of a root',
      ['list', '--keys', 'k'],
      () => truncate(at('k/root.json'), 100),
      'k/root.json: Cannot open root',
    ],
    [
      'the root of another site',
      ['renew', '--keys', 'k'],
      async () => {
        await nearhand('keygen', '--keys', 'other')
        await copyFile(at('other/root.json'), at('k/root.json'))
      },
      'are of different sites',
    ],
    [
      'a folder in the place of a key',
      ['list', '--keys', 'k'],
      async () => {
        await rm(at('k/head.key'))
        await mkdir(at('k/head.key'))
      },
      'k/head.key: not a file',
    ],
    ['a role without keys', ['rotate', 'live', '--keys', 'k'], async () => {}, 'the site has none of this role'],
    ['a few digits', ['revoke', 'ab', '--keys', 'k'], async () => {}, 'the first 6 digits or more'],
    [
      'the public half to sign by',
      ['sign', 'k/root.next.json', '--key', 'ann.pub'],
      async () => {
        await nearhand('keys', 'make', 'ann.key')
        await keys('add', 'root', 'ann.pub', '--threshold', '2')
      },
      'that is the public half',
    ],
  ])('says what is wrong with %s', async (_, args, prepare, reason) => {
    await prepare()
    expect(await nearhand('keys', ...args)).toMatchObject({ code: 1, stderr: expect.stringContaining(reason) })
  })

  test('list says that a root which waits has all signatures, and which keys no root names', async () => {
    await nearhand('keys', 'make', 'ann.key')
    await keys('add', 'root', 'ann.pub', '--threshold', '2')
    await nearhand('keys', 'sign', 'k/root.next.json', '--key', 'ann.key')
    expect((await keys('list')).stdout).toContain('nearhand keys sign makes it the root')
    await copyFile(at('ann.key'), at('k/token.key'))
    expect((await keys('list')).stdout).toMatch(/token\.key .* is here, and this root does not name it/)
    expect(await keys('sign')).toMatchObject({ code: 0, stdout: expect.stringContaining('Root 2 holds until') })
  })

  test('renew --fresh-life lets a static host sign for longer, which nobody does without the root keys', async () => {
    await mkdir(at('site'))
    const publish = (...args: string[]) => nearhand('publish', 'site', '--keys', 'k', '--state', 'state', ...args)
    expect(await publish()).toMatchObject({ code: 0, stdout: expect.stringContaining('the root allows no more') })
    expect(await publish('--fresh-life', '24h')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Cannot sign for 1d: the root allows 2m'),
    })
    const { stdout } = await keys('renew', '--fresh-life', '24h')
    expect(stdout).toContain('fresh.key may sign for 1d at most instead of 2m')
    expect(await publish()).toMatchObject({ code: 0, stderr: '' })
    expect((await keys('list')).stdout).toContain('A fresh holds for 1d at most')
    expect(await keys('renew', '--fresh-life', '31d')).toMatchObject({ code: 2 })
  })

  test('lists roles, ids and what is here', async () => {
    const { stdout, code } = await keys('list')
    expect(code).toBe(0)
    expect(stdout).toMatch(/root 1: holds until/)
    for (const role of ['root', 'head', 'fresh', 'token']) expect(stdout).toContain(`${role}.key is here`)
  })

  test('renew makes a root that whoever has the old one follows, and keeps both', async () => {
    const before = await openPinnedRoot(await text('k/root.json'))
    expect(await keys('renew', '--life', '700d')).toMatchObject({ code: 0, stdout: expect.stringContaining('Root 2') })
    const root = await openNextRoot(before, await text('k/roots/2.json'))
    expect(root).toMatchObject({ version: 2, keys: before.keys, roles: before.roles, floor: 0 })
    expect(root.expires - root.created).toBe(700 * 86_400)
    expect(await text('k/root.json')).toBe(await text('k/roots/2.json'))
    expect((await openPinnedRoot(await text('k/roots/1.json'))).version).toBe(1)
    expect([...(await readKeys(at('k'))).roots.keys()]).toEqual([1, 2])
  })

  test.each(['root', 'head', 'fresh', 'token'])('rotate %s puts a new key in, and the old one aside', async (role) => {
    const old = await text(`k/${role}.key`)
    expect(await keys('rotate', role)).toMatchObject({ code: 0, stderr: '' })
    expect(await text(`k/${role}.key`)).not.toBe(old)
    expect((await stat(at(`k/${role}.key`))).mode & 0o777).toBe(0o600)
    const [retired = ''] = await readdir(at('k/retired'))
    expect(await text('k/retired', retired)).toBe(old)
    await readKeys(at('k')) // throws where a key is not one of its role
    await writeFile(at(`k/${role}.key`), old)
    await expect(readKeys(at('k'))).rejects.toThrow('does not name this key for its role')
  })

  test('rotate swarm makes a new secret, and no root', async () => {
    const before = await readKeys(at('k'))
    expect(await keys('rotate', 'swarm')).toMatchObject({ code: 0 })
    const after = await readKeys(at('k')) // throws where others may read it
    expect(after.root.version).toBe(1)
    expect(after.swarmSecret).toHaveLength(32)
    expect(after.swarmSecret).not.toEqual(before.swarmSecret)
  })

  test('several changes that wait become one version; cancel forgets them and their keys', async () => {
    await makeThreshold()
    await keys('rotate', 'head')
    const { stdout } = await keys('rotate', 'fresh')
    expect(stdout).toContain('Root 4 waits for signatures')
    expect((await readdir(at('k'))).filter((name) => name.includes('.next.'))).toEqual([
      'fresh.next.key',
      'head.next.key',
      'root.next.json',
    ])
    expect(await keys('cancel')).toMatchObject({ code: 0, stdout: expect.stringContaining('root 3 stays') })
    expect((await readdir(at('k'))).filter((name) => name.includes('.next.'))).toEqual([])
    expect(await keys('sign')).toMatchObject({ code: 1, stderr: expect.stringContaining('no root waits') })
  })

  test('a key folder without root key leaves the next root to those who have them, two of three', async () => {
    await makeThreshold()
    const before = await openPinnedRoot(await text('k/root.json'))
    expect(before).toMatchObject({ version: 3, roles: { root: { threshold: 2 } } })
    expect(before.roles.root.keys).toHaveLength(3)
    expect(await readdir(at('k'))).not.toContain('root.key')
    expect((await keys('renew')).stdout).toContain('0 of 2 signatures')
    expect((await collectFrom('bob')).stdout).toContain('1 of 2 signatures')
    expect((await openPinnedRoot(await text('k/root.json'))).version).toBe(3)
    expect(await keys('list')).toMatchObject({ stdout: expect.stringContaining('1 of 2 signatures') })
    expect((await collectFrom('cyd')).stdout).toContain('Root 4 holds')
    expect((await openNextRoot(before, await text('k/root.json'))).version).toBe(4)
    expect([...(await readKeys(at('k'))).roots.keys()]).toEqual([1, 2, 3, 4])
  })

  test('one stolen root key of two, a changed draft and forged signatures make no root', async () => {
    await makeThreshold()
    await keys('renew')
    expect((await collectFrom('ann')).stdout).toContain('1 of 2')
    // The same key once more, under its own name and under another's.
    const draft = JSON.parse(await text('k/root.next.json')) as { signatures: { keyid: string; sig: string }[] }
    const [own] = draft.signatures
    const { roles } = await openPinnedRoot(await text('k/root.json'))
    for (const keyid of roles.root.keys) draft.signatures.push({ keyid, sig: own?.sig ?? '' })
    await writeFile(at('forged.json'), JSON.stringify(draft))
    expect((await keys('collect', 'forged.json')).stdout).toContain('1 of 2')
    // Another body under the same signatures.
    const payload = Buffer.from(
      JSON.stringify({ ...(await openPinnedRoot(await text('k/root.json'))), version: 4, floor: 1 }),
    )
    await writeFile(at('other.json'), JSON.stringify({ ...draft, payload: payload.toString('base64') }))
    expect(await keys('collect', 'other.json')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('another root than the one that waits'),
    })
    expect((await openPinnedRoot(await text('k/root.json'))).version).toBe(3)
  })

  test('add delegate makes a key that holds below its prefixes; revoke takes it away', async () => {
    expect(await keys('add', 'delegate', '--prefix', '/uploads/')).toMatchObject({ code: 0 })
    expect((await readKeys(at('k'))).delegate?.prefixes).toEqual(['/uploads/'])
    const id = (await readKeys(at('k'))).delegate?.signer.id ?? ''
    expect(await keys('add', 'delegate', '--prefix', '/x/')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Cannot make a second delegate key'),
    })
    expect(await keys('revoke', id.slice(0, 8))).toMatchObject({ code: 0 })
    expect((await readKeys(at('k'))).root.roles.delegates).toEqual([])
    expect(await readdir(at('k'))).not.toContain('delegate.key')
  })

  test('--floor takes the newest head that was published here, and none of a day to come', async () => {
    await mkdir(at('site'))
    await writeFile(at('site/a.txt'), 'a')
    expect(await keys('renew', '--floor', 'newest')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no head of this site is remembered'),
    })
    const seq = Number(/seq (\d+)/.exec((await nearhand('publish', 'site', '--keys', 'k')).stdout)?.[1])
    expect(await keys('rotate', 'head', '--floor', 'newest')).toMatchObject({ code: 0 })
    expect((await readKeys(at('k'))).root.floor).toBe(seq)
    expect(await keys('renew', '--floor', '99999999999')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('a day to come'),
    })
    await keys('renew', '--floor', '5') // never lower
    expect((await readKeys(at('k'))).root.floor).toBe(seq)
  })

  test('sign ends what a crash cut short between the root and its keys', async () => {
    await makeThreshold()
    await keys('rotate', 'head')
    const waiting = await text('k/root.next.json')
    const next = await text('k/head.next.key')
    const old = await text('k/head.key')
    await collectFrom('ann', 'bob')
    await writeFile(at('k/root.next.json'), waiting)
    await writeFile(at('k/head.next.key'), next, { mode: 0o600 })
    await writeFile(at('k/head.key'), old)
    await expect(readKeys(at('k'))).rejects.toThrow('does not name this key')
    expect(await keys('sign')).toMatchObject({ code: 0, stdout: expect.stringContaining('in place now') })
    expect((await readKeys(at('k'))).head).toBeDefined()
  })

  test.each([
    [[], 2, 'Which verb?'],
    [['rotat'], 2, 'did you mean rotate?'],
    [['add', 'heed'], 2, 'Which role?'],
    [['add', 'delegate'], 2, 'needs --prefix'],
    [['add', 'head', '--prefix', '/x/'], 2, 'has no --prefix'],
    [['add', 'delegate', '--prefix', '/x'], 2, '--prefix /x'],
    [['rotate'], 2, 'Which key?'],
    [['rotate', 'tree'], 1, 'Cannot find key tree'],
    [['revoke', 'head'], 1, 'would be without a key; rotate it instead'],
    [['add', 'head', 'k/root.key'], 1, 'that is a private key'],
    [['renew', '--threshold', '2'], 1, '2 signatures of 1 keys'],
    [['renew', '--life', 'long'], 2, '--life long'],
    [['sign', 'none.json', '--key', 'k/root.key'], 1, 'there is no such file'],
  ])('%j ends with %i and changes nothing', async (args, code, reason) => {
    const before = await readdir(at('k'))
    expect(await nearhand('keys', ...args, ...(args.length > 0 ? ['--keys', 'k'] : []))).toMatchObject({
      code,
      stderr: expect.stringContaining(reason),
    })
    expect(await readdir(at('k'))).toEqual(before)
  })

  test('one key for two roles is refused', async () => {
    await nearhand('keys', 'make', 'ci.key')
    await keys('add', 'head', 'ci.pub')
    expect(await keys('add', 'fresh', 'ci.pub')).toMatchObject({ code: 1, stderr: expect.stringContaining('already') })
  })
})
