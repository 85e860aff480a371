import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { signFresh } from '../../origin/fresh.ts'
import { hasKeys, keyFiles, makeKeys, readKeys } from '../../origin/keys.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import { TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { seededRandom, someTime, withSite } from './temporary-site.ts'

let folder = ''
const make = (seed = 1) => makeKeys(folder, { now: someTime, random: seededRandom(seed) })

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nearhand-keys-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

describe('makeKeys()', () => {
  test('makes a root that names the four keys and holds for a year', async () => {
    const keys = await make()
    expect(keys.root.expires).toBe(someTime + 365 * 86_400)
    expect(keys.root.roles.root.keys).toEqual([keys.rootSigner?.id])
    expect(keys.root.roles.head.keys).toEqual([keys.head?.id])
    expect(keys.root.roles.fresh.keys).toEqual([keys.fresh?.id])
    expect(new Set(Object.keys(keys.root.keys)).size).toBe(4)
    expect(keys.swarmSecret).toHaveLength(32)
  })

  test('keeps secrets from others', async () => {
    await make()
    for (const name of [keyFiles.rootKey, keyFiles.headKey, keyFiles.freshKey, keyFiles.swarmSecret]) {
      expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600)
    }
  })

  test('never touches the keys of a site that is there', async () => {
    await make()
    const before = await readFile(join(folder, keyFiles.rootKey), 'utf8')
    await expect(make(2)).rejects.toThrow('already holds those of a site')
    await rm(join(folder, keyFiles.root))
    await expect(make(2)).rejects.toThrow(/holds .*root\.key.* and no root\.json; bring root\.json back from/)
    expect(await readFile(join(folder, keyFiles.rootKey), 'utf8')).toBe(before)
  })
})

test('makeKeys() leaves no half of the keys where it fails, or is interrupted', async () => {
  const parent = join(folder, 'state')
  const place = join(parent, 'keys')
  await mkdir(parent)
  // Nothing can be renamed to the name of a file: the last step fails.
  await symlink('nowhere', place)
  await expect(makeKeys(place, { now: someTime, random: seededRandom(1) })).rejects.toThrow()
  expect(await readdir(parent)).toEqual(['keys'])
  await rm(place)
  await makeKeys(place, { now: someTime, random: seededRandom(1) })
  expect(await readdir(parent)).toEqual(['keys'])
})

describe('readKeys()', () => {
  test('reads what makeKeys() made', async () => {
    expect(await hasKeys(folder)).toBe(false)
    const { site, rootEnvelope, swarmSecret } = await make()
    expect(await hasKeys(folder)).toBe(true)
    expect(await readKeys(folder)).toMatchObject({ site, rootEnvelope, swarmSecret })
  })

  test('leaves out the keys that a machine does not have', async () => {
    await make()
    for (const name of [keyFiles.rootKey, keyFiles.freshKey, keyFiles.swarmSecret]) await rm(join(folder, name))
    const keys = await readKeys(folder)
    expect(keys.head).toBeDefined()
    expect([keys.rootSigner, keys.fresh, keys.swarmSecret]).toEqual([undefined, undefined, undefined])
  })

  test('refuses a secret that others may read, and says what to do', async () => {
    await make()
    for (const name of [keyFiles.headKey, keyFiles.swarmSecret]) {
      await chmod(join(folder, name), 0o640)
      await expect(readKeys(folder)).rejects.toThrow(
        `others may read it (mode 0640); run chmod 600 ${join(folder, name)}`,
      )
      await chmod(join(folder, name), 0o600)
    }
  })

  test('refuses a folder that others may write to', async () => {
    await make()
    await chmod(folder, 0o777)
    await expect(readKeys(folder)).rejects.toThrow('others may write to it (mode 0777); run chmod 700')
    await chmod(folder, 0o775) // the group is often the user's own
    await readKeys(folder)
    await rm(folder, { recursive: true })
    await mkdir(folder)
    await chmod(folder, 0o777)
    await expect(make()).rejects.toThrow('others may write to it')
    expect(await readdir(folder)).toEqual([])
  })

  test('refuses a key that the root does not name for its role', async () => {
    await make()
    await writeFile(join(folder, keyFiles.headKey), await readFile(join(folder, keyFiles.freshKey)))
    await expect(readKeys(folder)).rejects.toThrow('the root does not name this key for its role')
  })

  test.each([
    ['no key', 'hello', 'not a PKCS#8 key in PEM'],
    ['a huge file', 'x'.repeat(5000), '5000 bytes are no key'],
  ])('refuses %s', async (_, content, reason) => {
    await make()
    await writeFile(join(folder, keyFiles.headKey), content)
    await expect(readKeys(folder)).rejects.toThrow(reason)
  })

  test('refuses a root with a flipped bit, one of another site, and none', async () => {
    const { rootEnvelope } = await make()
    const file = join(folder, keyFiles.root)
    const { payload, ...rest } = JSON.parse(rootEnvelope) as { payload: string }
    const body = Buffer.from(payload, 'base64').toString().replace('"version":1', '"version":2')
    await writeFile(file, JSON.stringify({ payload: Buffer.from(body).toString('base64'), ...rest }))
    await expect(readKeys(folder)).rejects.toThrow()
    await writeFile(file, rootEnvelope)
    await writeFile(join(folder, keyFiles.site), JSON.stringify({ site: '0'.repeat(32), created: 1 }))
    await expect(readKeys(folder)).rejects.toThrow('of different sites')
    await rm(file)
    await expect(readKeys(folder)).rejects.toThrow('no root.json')
  })
})

describe('signFresh()', () => {
  test('signs what a visitor accepts until it ends', () =>
    withSite({ a: 'a' }, async (site) => {
      const { heads, headHash } = await site.publish()
      const revoked = [await contentIdOf(new Uint8Array(1))]
      const options = { now: someTime + 100, seconds: 60, peers: false, revoked }
      const envelope = await signFresh(site.keys, heads, options)
      const manifest = new TrustedManifest(site.keys.root)
      expect(await manifest.acceptFresh(envelope, someTime + 100)).toMatchObject({
        heads: [{ role: 0, seq: heads[0]?.head.seq, hash: headHash }],
        issued: someTime + 100,
        expires: someTime + 160,
        peers: false,
        revoked,
      })
      await expect(manifest.acceptFresh(envelope, someTime + 160 + 300)).rejects.toThrow('it expired')
    }))

  test('refuses without the key', () =>
    withSite({ a: 'a' }, async (site) => {
      const { heads } = await site.publish()
      const options = { now: someTime, seconds: 60, peers: true, revoked: [] }
      await expect(signFresh({ ...site.keys, fresh: undefined }, heads, options)).rejects.toThrow(
        'its key is not on this machine',
      )
    }))
})
