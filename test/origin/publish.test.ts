import { createHash } from 'node:crypto'
import { readdir, readFile, rm, symlink, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Publication } from '../../origin/publish.ts'
import type { Asset } from '../../protocol/chunks.ts'
import { hasList, parseChunkList, parsePage } from '../../protocol/chunks.ts'
import { hexOf } from '../../protocol/bytes.ts'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { manifestFiles } from '../../protocol/manifest.ts'
import { TrustedManifest } from '../../protocol/trusted-manifest.ts'
import type { TemporarySite } from './temporary-site.ts'
import { seededRandom, someTime, withSite } from './temporary-site.ts'

const random = seededRandom(7)
const MIB = 1024 * 1024

/** What a visitor who trusts the root finds in the manifest folder. */
async function visit(site: TemporarySite, now = someTime): Promise<TrustedManifest> {
  const manifest = new TrustedManifest(site.keys.root)
  const fresh = await manifest.acceptFresh(await readFile(join(site.out, manifestFiles.fresh), 'utf8'), now)
  for (const { role, hash } of fresh.heads) {
    await manifest.acceptHead(await readFile(join(site.out, manifestFiles.head(hash)), 'utf8'), now, role)
  }
  return manifest
}

const readPart = (site: TemporarySite) => async (id: ContentId) =>
  new Uint8Array(await readFile(join(site.out, manifestFiles.part(id))))

async function listAssets(site: TemporarySite): Promise<Asset[]> {
  const assets: Asset[] = []
  for await (const asset of (await visit(site)).assets(readPart(site))) assets.push(asset)
  return assets
}

function never(): never {
  throw new Error('Cannot test: there is no film')
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('publishFolder()', () => {
  test('lists every file with the hash, size and type that a visitor checks', () =>
    withSite({ 'index.html': '<p>hi', 'a b/ü.js': 'let x', 'big.bin': random(3 * MIB), empty: '' }, async (site) => {
      const publication = await site.publish()
      const assets = await listAssets(site)
      expect(assets.map(({ path }) => path)).toEqual(['/a%20b/%C3%BC.js', '/big.bin', '/empty', '/index.html'])
      expect([...publication.assets.keys()]).toEqual(assets.map(({ path }) => path))
      for (const asset of assets) {
        const bytes = await readFile(publication.assets.get(asset.path)?.file ?? '')
        expect(asset.size).toBe(bytes.length)
        if (!hasList(asset)) expect(asset.id).toBe(sha256(bytes))
        else {
          const list = await readPart(site)(asset.id)
          expect(sha256(list)).toBe(asset.id)
          const digests = parseChunkList(list, asset).digests.map((digest) => Buffer.from(digest).toString('hex'))
          expect(digests).toEqual(
            digests.map((_, at) => sha256(bytes.subarray(at * asset.chunkSize, (at + 1) * asset.chunkSize))),
          )
        }
      }
      expect(assets[0]?.headers).toEqual([['content-type', 'text/javascript; charset=utf-8']])
      expect(publication.hashedFiles).toBe(4)
    }))

  test('lists one chunk by its own hash and one byte more by its list', () =>
    withSite({ one: random(65_536), more: random(65_537) }, async (site) => {
      const { assets } = await site.publish()
      const more = assets.get('/more')
      expect(assets.get('/one')?.id).toBe(sha256(await readFile(join(site.folder, 'one'))))
      expect(more && (await readPart(site)(more.id)).length).toBe(16 + 64)
    }))

  test(
    'lists a file beyond one list with pages, which a second run keeps and a third makes anew where one is gone',
    () =>
      withSite({ 'film.mp4': Uint8Array.of(255) }, async (site) => {
        await truncate(join(site.folder, 'film.mp4'), 512 * MIB)
        await site.publish()
        const [film] = await listAssets(site)
        const pages = film && parseChunkList(await readPart(site)(film.id), film).digests.map(contentIdOfDigest)
        expect(pages).toHaveLength(2)
        const digests = await Promise.all(
          (pages ?? []).map(async (id, at) => film && parsePage(await readPart(site)(id), film, at)),
        )
        const zeros = sha256(new Uint8Array(256 * 1024))
        const all = digests.flat().map((digest) => digest && hexOf(digest))
        expect(all.slice(1)).toEqual(Array.from({ length: 2047 }, () => zeros))
        await site.write('other.txt', 'so that there is a new head, and the old is pruned')
        expect((await site.publish()).hashedFiles).toBe(1)
        const last = join(site.out, manifestFiles.part(pages?.at(-1) ?? film?.id ?? never()))
        await rm(last)
        await site.publish()
        expect((await readFile(last)).length).toBe(1024 * 32)
      }),
    30_000,
  )

  test('publishes an empty folder', () =>
    withSite({}, async (site) => {
      await site.publish()
      expect(await listAssets(site)).toEqual([])
    }))

  test('leaves dotfiles, what is excluded, and what is too large unlisted', () =>
    withSite(
      { 'a.txt': 'a', '.env': 'secret', '.git/config': 'x', 'sw.js': 's', 'big.txt': 'bigger' },
      async (site) => {
        const { assets, skipped } = await site.publish({ exclude: ['/sw.js'], maxAssetBytes: 5 })
        expect([...assets.keys()]).toEqual(['/a.txt'])
        expect(skipped).toEqual([{ file: '/big.txt', reason: 'over 5 bytes, left to the origin' }])
      },
    ))

  test('leaves unlisted what its headers keep from being shared', () =>
    withSite({ 'a.txt': 'a', 'mine/b.txt': 'b', 'ours/c.txt': 'c', 'd.txt': 'd' }, async (site) => {
      const { assets, skipped } = await site.publish({
        headers: [
          { pattern: '/mine/**', headers: { 'cache-control': 'private, max-age=60' } },
          { pattern: '/ours/**', headers: { vary: 'cookie' } },
          { pattern: '/d.txt', headers: { 'set-cookie': 'a=b' } },
        ],
      })
      expect([...assets.keys()]).toEqual(['/a.txt'])
      expect(skipped.map(({ file }) => file)).toEqual(['/d.txt', '/mine/b.txt', '/ours/c.txt'])
    }))

  test('hashes only what changed in a second run', () =>
    withSite({ 'a.txt': 'a', 'b.bin': random(200_000), 'c.txt': 'c' }, async (site) => {
      const first = await site.publish()
      const again = await site.publish({ now: someTime + 60 })
      expect(again.hashedFiles).toBe(0)
      expect(again.headEnvelope).toBe(first.headEnvelope)
      expect(again.freshEnvelope).not.toBe(first.freshEnvelope)
      await site.write('b.bin', random(200_000))
      const changed = await site.publish({ now: someTime + 120 })
      expect(changed.hashedFiles).toBe(1)
      expect(changed.head.seq).toBeGreaterThan(first.head.seq)
      expect(changed.head.previous).toBe(first.headHash)
      expect((await listAssets(site)).length).toBe(3)
    }))

  test('hashes again where a chunk list is gone', () =>
    withSite({ 'b.bin': random(200_000) }, async (site) => {
      await site.publish()
      await rm(site.out, { recursive: true })
      const { assets, head } = await site.publish({ now: someTime + 1 })
      const asset = assets.get('/b.bin')
      expect(asset && (await readPart(site)(asset.id)).length).toBeGreaterThan(16)
      expect(head.seq).toBe(someTime) // the head is remembered beside the hashes
    }))

  test('grows the seq by the clock where nothing is remembered', () =>
    withSite({ 'a.txt': 'a' }, async (site) => {
      const first = await site.publish()
      await rm(site.out, { recursive: true })
      await rm(join(site.root, 'state'), { recursive: true })
      await site.write('a.txt', 'b')
      const second = await site.publish({ now: someTime + 5 })
      expect(second.head.previous).toBeNull()
      expect(second.head.seq).toBeGreaterThan(first.head.seq)
    }))

  test('signs a new head for an unchanged site before the old one ends', () =>
    withSite({ 'a.txt': 'a' }, async (site) => {
      const first = await site.publish({ headSeconds: 300 })
      expect((await site.publish({ headSeconds: 300, now: someTime + 149 })).headHash).toBe(first.headHash)
      const renewed = await site.publish({ headSeconds: 300, now: someTime + 150 })
      expect(renewed.head.expires).toBe(someTime + 450)
      expect(renewed.head.seq).toBeGreaterThan(first.head.seq)
    }))

  test('keeps the parts of the last three heads and no others', () =>
    withSite({}, async (site) => {
      const publications: Publication[] = []
      for (let round = 0; round < 5; round += 1) {
        await site.write('a.bin', random(100_000))
        publications.push(await site.publish({ now: someTime + round }))
      }
      const lists = publications.map(({ assets }) => assets.get('/a.bin')?.id)
      const parts = await readdir(join(site.out, 'parts'))
      expect(parts).toHaveLength(6)
      expect(lists.map((id) => parts.includes(id ?? ''))).toEqual([false, false, true, true, true])
      expect(await readdir(join(site.out, 'heads'))).toHaveLength(3)
    }))

  test('publishes the injected bytes of HTML, and the plain ones again without injection', () =>
    withSite({ 'a.html': '<head></head>é', 'b.html': Buffer.from('<head></head>\xe9', 'latin1') }, async (site) => {
      const inject = (html: string) => html.replace('</head>', '<script src="/nearhand.js"></script></head>')
      const { assets } = await site.publish({ inject })
      const [a, b] = [assets.get('/a.html'), assets.get('/b.html')]
      expect(await readFile(a?.file ?? '', 'utf8')).toBe('<head><script src="/nearhand.js"></script></head>é')
      expect(await readFile(b?.file ?? '', 'latin1')).toBe('<head><script src="/nearhand.js"></script></head>\xe9')
      expect(a?.id).toBe(sha256(await readFile(a?.file ?? '')))
      expect((await site.publish({ inject })).hashedFiles).toBe(0)
      const plain = await site.publish({ now: someTime + 1 })
      expect(plain.assets.get('/a.html')?.id).toBe(sha256(await readFile(join(site.folder, 'a.html'))))
    }))

  test('reads a page again only where it, or what is injected, is new, or its copy is gone', () =>
    withSite({ 'a.html': '<head></head>', 'fragment.html': 'x' }, async (site) => {
      const seen: string[] = []
      const inject = (tag: string) => (html: string, path: string) => {
        seen.push(path)
        return html.replace('</head>', `${tag}</head>`)
      }
      const pageOf = async (tag: string): Promise<string> => {
        seen.length = 0
        const { assets } = await site.publish({ inject: inject(tag), now: Math.floor(Date.now() / 1000) + 10 })
        return readFile(assets.get('/a.html')?.file ?? '', 'utf8')
      }
      expect(await pageOf('<b>')).toBe('<head><b></head>')
      expect(seen).toContain('/a.html')
      expect(await pageOf('<b>')).toBe('<head><b></head>')
      expect(seen.toSorted(), 'nothing went in, of which its owner is told each time').toEqual([
        '/fragment.html',
        '/index.html',
      ])
      expect(await pageOf('<i>')).toBe('<head><i></head>')
      await site.write('a.html', '<head>new</head>')
      expect(await pageOf('<i>')).toBe('<head>new<i></head>')
      await rm(join(site.root, 'state/injected'), { recursive: true })
      expect(await pageOf('<i>')).toBe('<head>new<i></head>')
    }))

  test('keeps the injected bytes of this run and of the one before', () =>
    withSite({ 'a.html': '0' }, async (site) => {
      const pages: string[] = []
      for (const page of ['1', '2', '3']) {
        await site.write('a.html', page)
        const { assets } = await site.publish({ inject: (html) => `${html}!` })
        pages.push(assets.get('/a.html')?.id ?? '')
      }
      const kept = await readdir(join(site.root, 'state/injected'))
      expect(pages.map((id) => kept.includes(id))).toEqual([false, true, true])
    }))

  test('signs sections and the headers of rules, later rules first', () =>
    withSite({ 'live/a.ts': 'a', 'b.woff2': 'b' }, async (site) => {
      await site.publish({
        sections: ['/live/'],
        headers: [
          { pattern: '/**', headers: { 'cache-control': 'no-cache', 'x-a': '1' } },
          { pattern: '/**.woff2', headers: { 'cache-control': 'max-age=60' } },
        ],
      })
      const [font, segment] = await listAssets(site)
      expect(segment?.section).toBe('/live/')
      expect(Object.fromEntries(font?.headers ?? [])).toEqual({
        'content-type': 'font/woff2',
        'cache-control': 'max-age=60',
        'x-a': '1',
      })
    }))

  test('refuses a header that is not the site’s to set and leaves the old manifest', () =>
    withSite({ a: 'a' }, async (site) => {
      const { headHash } = await site.publish()
      const headers = [{ pattern: '/**', headers: { 'content-encoding': 'gzip' } }]
      await expect(site.publish({ headers })).rejects.toThrow('not the site’s to set')
      expect((await visit(site)).heads.get(0)?.hash).toBe(headHash)
    }))

  test('publishes with the head key alone, and writes no fresh', () =>
    withSite({ a: 'a' }, async (site) => {
      const { fresh: _fresh, ...keys } = site.keys
      expect((await site.publish({ keys })).freshEnvelope).toBeUndefined()
      expect(await readdir(site.out)).not.toContain('fresh.json')
      await expect(site.publish({ keys: { ...keys, head: undefined }, exclude: ['/a'] })).rejects.toThrow(
        'its key is not on this machine',
      )
    }))

  test('follows a link to a published file and refuses one that leads out', () =>
    withSite({ 'a.txt': 'a', 'sub/.hidden': 'x' }, async (site) => {
      await symlink('a.txt', join(site.folder, 'b.txt'))
      await symlink('../keys/root.key', join(site.folder, 'key.txt'))
      await symlink('sub/.hidden', join(site.folder, 'hidden.txt'))
      await symlink('.', join(site.folder, 'loop'))
      const { assets, skipped } = await site.publish()
      expect([...assets.keys()]).toEqual(['/a.txt', '/b.txt'])
      expect(skipped.map(({ file }) => file)).toEqual(['/hidden.txt', '/key.txt', '/loop'])
    }))

  test('never lists keys and state, wherever they lie', () =>
    withSite({ 'a.txt': 'a', 'keys/root.key': 'secret', 'state/a': 'x' }, async (site) => {
      await symlink('site', join(site.root, 'link'))
      const places = { state: join(site.root, 'link/state'), hidden: [join(site.root, 'link/keys')] }
      expect([...(await site.publish(places)).assets.keys()]).toEqual(['/a.txt'])
    }))

  test('goes on behind what cannot be read', () =>
    withSite({ 'a.txt': 'a' }, async (site) => {
      await symlink('nowhere', join(site.folder, 'gone.txt'))
      const { assets, skipped } = await site.publish()
      expect([...assets.keys()]).toEqual(['/a.txt'])
      expect(skipped).toMatchObject([{ file: '/gone.txt' }])
    }))

  test('stops when it is told to', () =>
    withSite({ a: 'a' }, async (site) => {
      await expect(site.publish({ signal: AbortSignal.abort(new Error('stopped')) })).rejects.toThrow('stopped')
    }))

  test('publishes some hundred files, and a change touches few parts', () =>
    withSite({}, async (site) => {
      for (let at = 0; at < 700; at += 1) await site.write(`d${at % 9}/f${at}.txt`, `${at}`)
      let last = 0
      await site.publish({ onProgress: ({ files }) => (last = files) })
      expect(last).toBe(700)
      const before = new Set(await readdir(join(site.out, 'parts')))
      expect(before.size).toBeGreaterThan(4)
      await site.write('d3/new.txt', 'new')
      await site.publish({ now: someTime + 1 })
      const added = (await readdir(join(site.out, 'parts'))).filter((part) => !before.has(part))
      expect(added.length).toBeLessThanOrEqual(2)
      expect(await listAssets(site)).toHaveLength(701)
    }))
})
