import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { keysCommand } from '../../origin/command-keys.ts'
import { signFresh } from '../../origin/fresh.ts'
import { openHead } from '../../origin/head.ts'
import type { SiteKeys } from '../../origin/keys.ts'
import { readKeys } from '../../origin/keys.ts'
import { createOrigin } from '../../origin/origin.ts'
import type { OriginOptions } from '../../origin/config.ts'
import type { Origin } from '../../origin/origin.ts'
import type { Publication } from '../../origin/publish.ts'
import { runCli } from '../../origin/run-cli.ts'
import type { Fresh } from '../../protocol/manifest.ts'
import { mediaTypes } from '../../protocol/manifest.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { signEnvelope } from '../../protocol/signature.ts'
import { openNextRoot, TrustedManifest } from '../../protocol/trusted-manifest.ts'
import { joinOf, testScripts } from './site-fixture.ts'
import { signedByDelegate } from './signed-by-delegate.ts'
import { TemporarySite } from './temporary-site.ts'

const now = () => Math.floor(Date.now() / 1000)
const files = { 'a.txt': 'a', 'uploads/u.txt': 'u' }

async function makeSite(): Promise<TemporarySite> {
  const site = await TemporarySite.create(files)
  onTestFinished(() => rm(site.root, { recursive: true, force: true }))
  return site
}

async function keys(site: TemporarySite, ...args: string[]): Promise<SiteKeys> {
  const io = { stdout: { write() {} }, stderr: { write: (text: string) => errors.push(text) } }
  const errors: string[] = []
  const all = ['keys', ...args, '--keys', join(site.root, 'keys')]
  const code = await runCli(all, [keysCommand], '', { ...io, cwd: site.root, signal: new AbortController().signal })
  expect([code, errors]).toEqual([0, []])
  return readKeys(join(site.root, 'keys'))
}

/** What a visitor who trusts this root makes of a publication. */
async function visit(root: SiteKeys['root'], fresh: string, publication: Publication): Promise<TrustedManifest> {
  const manifest = new TrustedManifest(root)
  await manifest.acceptFresh(fresh, now())
  for (const { role, envelope } of publication.heads) await manifest.acceptHead(envelope, now(), role)
  return manifest
}

const freshOf = (by: SiteKeys, publication: Publication) =>
  signFresh(by, publication.heads, { now: now(), seconds: 600 })

describe('one stolen key', () => {
  test('of release signs no fresh and no root', async () => {
    const site = await makeSite()
    const publication = await site.publish({ now: now() })
    const thief = { ...site.keys, fresh: site.keys.head }
    await expect(visit(site.keys.root, await freshOf(thief, publication), publication)).rejects.toThrow('0 of 1')
    const body = utf8(JSON.stringify({ ...site.keys.root, version: 2 }))
    const signers = site.keys.head ? [site.keys.head] : []
    await expect(openNextRoot(site.keys.root, await signEnvelope(mediaTypes.root, body, signers))).rejects.toThrow(
      '0 of 1',
    )
  })

  test.each(['fresh', 'token', 'rootSigner'] as const)('%s signs no head', async (name) => {
    const site = await makeSite()
    const publication = await site.publish({ now: now(), keys: { ...site.keys, head: site.keys[name] } })
    await expect(visit(site.keys.root, await freshOf(site.keys, publication), publication)).rejects.toThrow('0 of 1')
    expect(await openHead(publication.headEnvelope, site.keys.root)).toBeUndefined()
  })

  test('fresh signs none that holds for longer than the offline keys allow, unless they come to allow it', async () => {
    const site = await makeSite()
    const publication = await site.publish({ now: now() })
    const thief = { ...site.keys, root: { ...site.keys.root, freshSeconds: 10 * 365 * 86_400 } }
    const years = { now: now(), seconds: thief.root.freshSeconds }
    const sign = (by: SiteKeys) => signFresh(by, publication.heads, years)
    await expect(sign(site.keys)).rejects.toThrow('the root allows 86400 s')
    await expect(visit(site.keys.root, await sign(thief), publication)).rejects.toThrow('longer than the root allows')

    const longer = await keys(site, 'renew', '--fresh-life', '30d')
    const month = await signFresh(longer, publication.heads, { now: now(), seconds: 30 * 86_400 })
    await visit(longer.root, month, publication)
    await expect(visit(site.keys.root, month, publication)).rejects.toThrow('of a newer root')
  })

  test('of passes signs no fresh', async () => {
    const site = await makeSite()
    const publication = await site.publish({ now: now() })
    const thief = { ...site.keys, fresh: site.keys.token }
    await expect(visit(site.keys.root, await freshOf(thief, publication), publication)).rejects.toThrow('0 of 1')
  })

  test('of a delegate reaches nothing beyond its prefixes, whatever it lists', async () => {
    const site = await makeSite()
    const all = await keys(site, 'add', 'delegate', '--prefix', '/uploads/')
    // The thief leaves our own rule out, and lists everything.
    const publication = await site.publish({ now: now(), keys: all })
    const heads = await Promise.all(publication.heads.map((head) => signedByDelegate(head, all)))
    expect(heads.map(({ head }) => head.assetCount)).toEqual([2])
    const manifest = await visit(all.root, await freshOf(all, { ...publication, heads }), { ...publication, heads })
    const read = async (id: string) => new Uint8Array(await readFile(join(site.out, 'parts', id)))
    expect(await manifest.find('/a.txt', read)).toBeUndefined()
    expect(await manifest.find('/uploads/u.txt', read)).toBeDefined()
  })
})

describe('a stale key after a rotation', () => {
  test('of release signs heads that nobody believes, and the site goes on with the new one', async () => {
    const site = await makeSite()
    const old = site.keys
    await site.publish({ now: now() })
    const rotated = await keys(site, 'rotate', 'head')
    const stale = await site.publish({ now: now(), keys: { ...rotated, head: old.head } })
    await expect(visit(rotated.root, await freshOf(rotated, stale), stale)).rejects.toThrow('0 of 1')
    const good = await site.publish({ now: now() + 1, keys: rotated })
    await visit(rotated.root, await freshOf(rotated, good), good)
    expect(await readdir(join(site.out, 'roots'))).toEqual(['1.json', '2.json'])
  })

  test('fresh is refused under the new root, and the word of before is one of an older root', async () => {
    const site = await makeSite()
    const publication = await site.publish({ now: now() })
    const before = await freshOf(site.keys, publication)
    const rotated = await keys(site, 'rotate', 'fresh')
    const stale = await freshOf({ ...rotated, fresh: site.keys.fresh }, publication)
    await expect(visit(rotated.root, stale, publication)).rejects.toThrow('0 of 1')
    await expect(visit(rotated.root, before, publication)).rejects.toThrow()
    await visit(rotated.root, await freshOf(rotated, publication), publication)
  })

  test('root cannot be followed any more, not even by the key that made the first', async () => {
    const site = await makeSite()
    const rotated = await keys(site, 'rotate', 'root')
    const body = utf8(JSON.stringify({ ...site.keys.root, version: 3 }))
    const signers = site.keys.rootSigner ? [site.keys.rootSigner] : []
    await expect(openNextRoot(rotated.root, await signEnvelope(mediaTypes.root, body, signers))).rejects.toThrow(
      '0 of 1',
    )
  })

  test('with a floor, heads of before are refused also where nothing is remembered', async () => {
    const site = await makeSite()
    const old = await site.publish({ now: now() - 1000 })
    const rotated = await keys(site, 'rotate', 'fresh', '--floor', String(old.head.seq + 1))
    const thief = { ...rotated, root: { ...rotated.root, floor: 0 } }
    await expect(visit(rotated.root, await freshOf(thief, old), old)).rejects.toThrow('older than what was seen')
    const next = await site.publish({ now: now() - 2000, keys: rotated }) // a clock that is behind
    expect(next.head.seq).toBeGreaterThanOrEqual(rotated.root.floor)
  })
})

describe('machines with a part of the keys', () => {
  interface Machine {
    readonly origin: Origin
    readonly log: string[]
    readonly fresh: () => Promise<Fresh>
  }

  async function start(site: TemporarySite, names: string[], options: Partial<OriginOptions> = {}): Promise<Machine> {
    const folder = join(site.root, `machine-${names.join('-')}`)
    await mkdir(folder, { recursive: true })
    for (const name of ['root.json', ...names]) await copyFile(join(site.root, 'keys', name), join(folder, name))
    const log: string[] = []
    const origin = await createOrigin({
      folder: site.folder,
      state: join(folder, 'state'),
      keys: folder,
      stun: false,
      scripts: testScripts,
      log: (line) => log.push(line),
      ...options,
    })
    onTestFinished(() => origin.close())
    const { root } = await readKeys(join(site.root, 'keys'))
    return {
      origin,
      log,
      fresh: async () => {
        const response = await origin.app.request('/.well-known/nearhand/fresh.json')
        return new TrustedManifest(root).acceptFresh(await response.text(), now())
      },
    }
  }

  /** As CI does: with root.json and head.key alone. */
  function publishInCi(site: TemporarySite): Promise<Publication> {
    const { fresh: _fresh, rootSigner: _root, token: _token, swarmSecret: _secret, ...ci } = site.keys
    return site.publish({ now: now(), keys: ci })
  }

  test('the release key alone publishes, and fresh and token keys serve what was published', async () => {
    const site = await makeSite()
    const published = await publishInCi(site)
    expect(published.freshEnvelope).toBeUndefined()
    const { origin, fresh, log } = await start(site, ['fresh.key', 'token.key', 'swarm.secret'])
    expect(await fresh()).toMatchObject({ heads: [{ role: 0, seq: published.head.seq, hash: published.headHash }] })
    expect([...origin.publication.assets.keys()]).toEqual(['/a.txt', '/uploads/u.txt'])
    for (const name of [`heads/${published.headHash}.json`, 'roots/1.json', 'root.json']) {
      expect([name, (await origin.app.request(`/.well-known/nearhand/${name}`)).status]).toEqual([name, 200])
    }
    expect(await joinOf(origin)).toMatchObject({ swarms: [{ section: '/' }] })
    expect(log.join()).toContain('without head.key a file that changes is not shared until the next nearhand publish')

    await site.write('a.txt', 'changed')
    const unsigned = await origin.publish()
    expect(unsigned.skipped).toEqual([{ file: '/a.txt', reason: 'not the file that was signed' }])
    expect(await (await origin.app.request('/a.txt')).text()).toBe('changed')

    const next = await site.publish({ now: now() + 5, keys: { ...site.keys, fresh: undefined } })
    expect((await origin.publish()).headHash).toBe(next.headHash)
    expect(await fresh()).toMatchObject({ heads: [{ seq: next.head.seq }] })
    // A folder that goes back, as by a careless copy, takes nobody back.
    await rm(join(site.out, 'heads'), { recursive: true })
    expect((await origin.publish()).headHash).toBe(next.headHash)
  })

  test('half of a deploy changes nothing until the rest is there', async () => {
    const site = await makeSite()
    const first = await publishInCi(site)
    const { origin, log } = await start(site, ['fresh.key', 'swarm.secret'])
    await site.write('b.txt', 'b')
    const next = await site.publish({ now: now() + 5 })
    const [part = ''] = (await readdir(join(site.out, 'parts'))).filter((id) =>
      next.head.index.some((row) => row.id === id),
    )
    const bytes = await readFile(join(site.out, 'parts', part))
    await rm(join(site.out, 'parts', part))
    expect((await origin.publish()).headHash).toBe(first.headHash)
    expect(log.join()).toContain(`; seq ${first.head.seq} stays`)
    await writeFile(join(site.out, 'parts', part), bytes)
    expect((await origin.publish()).headHash).toBe(next.headHash)
  })

  test('a delegate publishes below its prefixes by itself, and says so', async () => {
    const site = await makeSite()
    await keys(site, 'add', 'delegate', '--prefix', '/uploads/')
    const { origin, fresh, log } = await start(site, ['delegate.key', 'fresh.key', 'swarm.secret'])
    expect([...origin.publication.assets.keys()]).toEqual(['/uploads/u.txt'])
    expect(log.join()).toContain('only what lies below /uploads/ is shared, 1 files elsewhere are not')
    expect((await origin.app.request('/a.txt')).status).toBe(200)
    await site.write('uploads/v.txt', 'v')
    expect((await origin.publish()).assets.has('/uploads/v.txt')).toBe(true)
    expect((await fresh()).heads).toMatchObject([{ role: 1, hash: origin.publication.headHash }])
  })

  test('a delegate’s head and what CI published hold side by side, each renewed by itself', async () => {
    const site = await makeSite()
    const all = await keys(site, 'add', 'delegate', '--prefix', '/uploads/')
    const ci = { ...all, fresh: undefined, delegate: undefined }
    const released = await site.publish({ now: now(), keys: ci })
    const { origin, fresh } = await start(site, ['delegate.key', 'fresh.key', 'token.key', 'swarm.secret'], {
      sections: ['/uploads/'],
    })
    const named = async () => (await fresh()).heads
    const first = await named()
    expect(first).toMatchObject([
      { role: 0, hash: released.headHash },
      { role: 1, hash: origin.publication.headHash },
    ])
    expect([...origin.publication.assets.keys()]).toEqual(['/a.txt', '/uploads/u.txt'])
    expect(origin.publication.head.assetCount).toBe(1)
    expect(await joinOf(origin)).toMatchObject({ swarms: [{ section: '/' }, { section: '/uploads/' }] })
    for (const { hash } of first) {
      expect((await origin.app.request(`/.well-known/nearhand/heads/${hash}.json`)).status).toBe(200)
    }
    for (const { id } of released.head.index) {
      expect((await origin.app.request(`/.well-known/nearhand/parts/${id}`)).status).toBe(200)
    }

    await site.write('uploads/v.txt', 'v')
    await origin.publish()
    expect(await named()).toMatchObject([first[0], { role: 1, hash: origin.publication.headHash }])
    await site.write('a.txt', 'changed')
    const next = await site.publish({ now: now() + 5, keys: ci })
    await origin.publish()
    expect(await named()).toMatchObject([{ role: 0, hash: next.headHash }, { hash: origin.publication.headHash }])
    // A folder that goes back, or loses its manifest, takes nobody back, and no head is left out.
    await rm(site.out, { recursive: true })
    await origin.publish()
    expect(await named()).toMatchObject([{ role: 0, hash: next.headHash }, { role: 1 }])
  })

  test('the release machine lists what it speaks for, and goes on beside a stolen delegate key', async () => {
    const site = await makeSite()
    const all = await keys(site, 'add', 'delegate', '--prefix', '/uploads/')
    const delegated = await site.publish({ now: now() + 1_000_000, keys: { ...all, head: undefined } })
    const released = await site.publish({ now: now(), keys: all })
    expect(released.head.seq).toBeLessThan(delegated.head.seq)
    expect(released.heads.map(({ hash }) => hash)).toEqual([released.headHash, delegated.headHash])
    expect([released.head.assetCount, [...released.assets.keys()]]).toEqual([1, ['/a.txt', '/uploads/u.txt']])
    const manifest = await visit(all.root, released.freshEnvelope ?? '', released)
    expect(manifest.isCurrent).toBe(true)
  })

  test('a delegate crowds out no section of the release, and closes none beyond its prefixes', async () => {
    const site = await makeSite()
    const all = await keys(site, 'add', 'delegate', '--prefix', '/uploads/')
    const crowd = Array.from({ length: 12 }, (_, at) => `/uploads/${at}/`)
    const sections = [...crowd, '/elsewhere/', '/']
    const stolen = { ...all, head: undefined }
    await site.publish({ now: now(), keys: stolen, sections, guarded: ['/a/', '/uploads/'] })
    const { origin } = await start(site, ['head.key', 'fresh.key', 'token.key', 'swarm.secret'], {
      sections: ['/videos/', '/a/'],
    })
    const { swarms } = await joinOf(origin)
    const named = swarms.map(({ section }) => section)
    expect(named).toEqual(expect.arrayContaining(['/', '/a/', '/videos/', '/uploads/0/']))
    expect(named).not.toContain('/uploads/')
    expect(named).not.toContain('/elsewhere/')
    await expect(site.publish({ now: now() + 9, keys: stolen, guarded: ['/'] })).rejects.toThrow(
      'Cannot guard /: the key here speaks for /uploads/ alone',
    )
  })

  test('a tracker without anything to serve lets visitors join its sections, and signs nothing', async () => {
    const site = await makeSite()
    const empty = join(site.root, 'empty')
    await mkdir(empty)
    const { origin, log } = await start(site, ['token.key', 'swarm.secret'], { folder: empty, sections: ['/live/'] })
    expect((await origin.app.request('/.well-known/nearhand/fresh.json')).status).toBe(404)
    expect(await joinOf(origin)).toMatchObject({ swarms: [{ section: '/' }, { section: '/live/' }] })
    expect(log.join()).toContain('Nothing was published in the folder')
    expect(log.join()).toContain('no takedown, pause or newer head')
  })

  test('a copy of the manifest alone is enough to say for a static host what holds', async () => {
    const site = await makeSite()
    const published = await publishInCi(site)
    for (const name of ['a.txt', 'uploads']) await rm(join(site.folder, name), { recursive: true })
    const { origin, fresh } = await start(site, ['fresh.key', 'token.key', 'swarm.secret'])
    expect(await fresh()).toMatchObject({ heads: [{ hash: published.headHash }] })
    expect(origin.publication.assets.size).toBe(0)
  })

  test('without the release key no page gets the tag', async () => {
    const site = await makeSite()
    await expect(start(site, ['fresh.key'], { inject: true })).rejects.toThrow('Cannot inject')
  })
})
