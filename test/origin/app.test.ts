import { createHash } from 'node:crypto'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Hono } from 'hono'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Origin } from '../../origin/origin.ts'
import { parseJoinResponse } from '../../protocol/join.ts'
import { parsePass } from '../../protocol/pass.ts'
import { TrustedManifest, openPinnedRoot } from '../../protocol/trusted-manifest.ts'
import type { SiteFixture } from './site-fixture.ts'
import { makeSite } from './site-fixture.ts'

const photo = Uint8Array.from({ length: 200_000 }, (_, at) => at % 251)
const style = 'p { color: teal }\n'.repeat(200)
const page = '<!doctype html><head><title>Home</title></head><p>Hello'

let site: SiteFixture
let origin: Origin

beforeAll(async () => {
  site = await makeSite({
    'index.html': page,
    'guide/index.html': '<!doctype html><p>Guide',
    'images/photo.jpg': photo,
    'style-3f2a9c1b.css': style,
    'with space é.txt': 'odd name',
    'empty.bin': '',
    '404.html': '<!doctype html><p>Nothing here',
    '.env': 'SECRET=1',
    '.git/config': 'SECRET=1',
    '.well-known/security.txt': 'Contact: mailto:a@example.org',
    'folder/note.txt': 'x',
  })
  await writeFile(join(site.folder, '../secret.txt'), 'SECRET=1')
  await symlink('../secret.txt', join(site.folder, 'leak.txt'))
  await symlink('..', join(site.folder, 'up'))
  await symlink('.git/config', join(site.folder, 'config.txt'))
  await symlink('images/photo.jpg', join(site.folder, 'same.jpg'))
  await mkdir(join(site.folder, 'images.jpg'))
  origin = await site.open({
    cacheSeconds: 60,
    headers: [{ pattern: '/images/**', headers: { 'access-control-allow-origin': '*' } }],
  })
  await site.write('late.txt', 'not published yet')
})

afterAll(() => site.close())

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return Promise.resolve(origin.app.request(path, { headers, method }))
}

async function bodyOf(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer())
}

describe('a listed file', () => {
  test('has the headers of the manifest, its id as strong ETag, and no Last-Modified', async () => {
    const response = await ask('/images/photo.jpg')
    const id = origin.publication.assets.get('/images/photo.jpg')?.id ?? ''
    expect(response.status).toBe(200)
    expect(Object.fromEntries(response.headers)).toEqual({
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
      'cache-control': 'public, max-age=60',
      'content-length': '200000',
      'content-type': 'image/jpeg',
      etag: `"${id.slice(0, 32)}"`,
      'x-content-type-options': 'nosniff',
    })
    expect(await bodyOf(response)).toEqual(photo)
  })

  test.each([
    ['bytes=0-9', 0, 10],
    ['bytes=65530-65545', 65_530, 65_546],
    ['bytes=199990-', 199_990, 200_000],
    ['bytes=-5', 199_995, 200_000],
    ['bytes=-300000', 0, 200_000],
    ['bytes=199999-300000', 199_999, 200_000],
  ])('answers Range %s with just these bytes', async (range, start, end) => {
    const response = await ask('/images/photo.jpg', { range })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/200000`)
    expect(response.headers.get('content-length')).toBe(String(end - start))
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    expect(await bodyOf(response)).toEqual(photo.slice(start, end))
  })

  test('answers a range beyond its end with 416 and its size', async () => {
    const response = await ask('/images/photo.jpg', { range: 'bytes=200000-' })
    expect([response.status, response.headers.get('content-range')]).toEqual([416, 'bytes */200000'])
    expect(await response.text()).toBe('')
  })

  test('is served whole for several ranges and after an If-Range that misses', async () => {
    for (const headers of [{ range: 'bytes=0-1,4-5' }, { range: 'bytes=0-1', 'if-range': '"other"' }]) {
      const response = await ask('/images/photo.jpg', { ...headers })
      expect([response.status, response.headers.get('content-length')]).toEqual([200, '200000'])
      await response.body?.cancel()
    }
  })

  test('is 304 without body or type for the ETag that it was given', async () => {
    const etag = (await ask('/images/photo.jpg', {}, 'HEAD')).headers.get('etag') ?? ''
    const response = await ask('/images/photo.jpg', { 'if-none-match': etag })
    expect([response.status, response.headers.get('etag'), await response.text()]).toEqual([304, etag, ''])
    expect(response.headers.has('content-type')).toBe(false)
  })

  test('answers HEAD with the headers of GET', async () => {
    for (const path of ['/images/photo.jpg', '/', '/empty.bin', '/style-3f2a9c1b.css']) {
      const [get, head] = [await ask(path), await ask(path, {}, 'HEAD')]
      expect(Object.fromEntries(head.headers)).toEqual(Object.fromEntries(get.headers))
      expect([head.status, await head.text()]).toEqual([200, ''])
      await get.body?.cancel()
    }
  })

  test('may be empty', async () => {
    const response = await ask('/empty.bin')
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([200, '0', ''])
    expect((await ask('/empty.bin', { range: 'bytes=0-' })).status).toBe(416)
  })

  test('is found by every spelling of its path, and its query is ignored', async () => {
    for (const path of ['/with%20space%20%C3%A9.txt', '/with%20space%20é.txt?v=2', '/%77ith%20space%20%c3%a9.txt']) {
      expect(await (await ask(path)).text()).toBe('odd name')
    }
  })
})

describe('a file beside the manifest', () => {
  test('is served from disk with a time and an ETag that hold for conditions and ranges', async () => {
    const response = await ask('/late.txt')
    const etag = response.headers.get('etag') ?? ''
    const time = response.headers.get('last-modified') ?? ''
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'not published yet',
    ])
    expect((await ask('/late.txt', { 'if-none-match': etag })).status).toBe(304)
    expect((await ask('/late.txt', { 'if-modified-since': time })).status).toBe(304)
    const part = await ask('/late.txt', { range: 'bytes=4-12', 'if-range': etag })
    expect([part.status, await part.text()]).toEqual([206, 'published'])
  })

  test('may lie in /.well-known/', async () => {
    expect(await (await ask('/.well-known/security.txt')).text()).toContain('Contact')
  })
})

describe('paths', () => {
  test.each([
    '/.env',
    '/.git/config',
    '/%2eenv',
    '/config.txt',
    '/leak.txt',
    '/up/secret.txt',
    '/up/state/keys/root.key',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/images/..%2f..%2fsecret.txt',
    '/images/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '//etc/passwd',
    '/images//photo.jpg',
    '/%00',
    '/images/photo.jpg%00.txt',
    '/%ff',
    '/%',
    '/images/photo.jpg/',
    '/images/photo.jpg/x',
    '/IMAGES/photo.jpg',
    `/${'a'.repeat(5000)}`,
    `/${'a/'.repeat(400)}`,
    '/.well-known/nearhand/',
    '/.well-known/nearhand/../../.env',
    '/.well-known/nearhand/heads/%2e%2e%2froot.json',
    '/.well-known/nearhand/parts/root.json',
    `/.well-known/nearhand/parts/${'0'.repeat(64)}`,
    `/.well-known/nearhand/content/${'0'.repeat(64)}`,
    '/.well-known/nearhand/content/heads.json',
  ])('%s is not found', async (path) => {
    const response = await ask(path)
    expect(response.status).toBe(404)
    expect(await response.text()).not.toContain('SECRET')
  })

  test('a folder without its slash is sent on, with its query', async () => {
    const response = await ask('/guide?a=1')
    expect([response.status, response.headers.get('location')]).toEqual([308, '/guide/?a=1'])
    expect(await (await ask('/guide/')).text()).toContain('Guide')
  })

  test('a folder without an index is not found', async () => {
    for (const path of ['/folder', '/folder/', '/images.jpg']) expect((await ask(path)).status).toBe(404)
  })

  test('a link within the site is served', async () => {
    expect((await bodyOf(await ask('/same.jpg'))).length).toBe(photo.length)
  })

  test('what is missing is answered by 404.html, whole and without validators', async () => {
    const response = await ask('/nowhere', { range: 'bytes=0-1', 'if-none-match': '*' })
    expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect([response.headers.has('etag'), response.headers.has('accept-ranges')]).toEqual([false, false])
    expect(await response.text()).toContain('Nothing here')
    const head = await ask('/nowhere', {}, 'HEAD')
    expect([head.status, await head.text()]).toEqual([404, ''])
  })

  test('other methods are not allowed', async () => {
    const response = await ask('/images/photo.jpg', {}, 'POST')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })
})

describe('the manifest', () => {
  test('is one that a client accepts, and proves every file', async () => {
    const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
      const response = await ask(`/.well-known/nearhand/${name}`)
      expect(response.status).toBe(200)
      return new Uint8Array(await response.arrayBuffer())
    }
    const now = Math.floor(Date.now() / 1000)
    const manifest = new TrustedManifest(await openPinnedRoot(await read('root.json')))
    const fresh = await manifest.acceptFresh(await read('fresh.json'), now)
    await manifest.acceptHead(await read(`heads/${fresh.heads[0]?.hash}.json`), now)
    const asset = await manifest.find('/index.html', (id) => read(`parts/${id}`))
    expect(asset?.id).toBe(createHash('sha256').update(page).digest('hex'))
    expect(Buffer.from(await read(`content/${asset?.id}`)).toString()).toBe(page)
    expect(await manifest.find('/.env', (id) => read(`parts/${id}`))).toBeUndefined()
  })

  test('is kept by browsers as far as it never changes', async () => {
    const { headHash } = origin.publication
    const control = async (name: string) => (await ask(`/.well-known/nearhand/${name}`)).headers.get('cache-control')
    expect(await control('fresh.json')).toBe('no-store')
    expect(await control('root.json')).toBe('no-cache')
    expect(await control(`heads/${headHash}.json`)).toBe('public, max-age=31536000, immutable')
    expect(await control('missing')).toBe('no-store')
  })

  test('gives content by its id in ranges', async () => {
    const id = origin.publication.assets.get('/images/photo.jpg')?.id
    const response = await ask(`/.well-known/nearhand/content/${id}`, { range: 'bytes=131072-' })
    expect([response.status, response.headers.get('content-type')]).toEqual([206, 'application/octet-stream'])
    expect(await bodyOf(response)).toEqual(photo.slice(131_072))
  })
})

describe('join', () => {
  const request = JSON.stringify({ fingerprint: '0b'.repeat(32) })

  test('names the swarms of the day and is never stored', async () => {
    const response = await origin.app.request('/.well-known/nearhand/join', { method: 'POST', body: request })
    const join = parseJoinResponse(await response.text())
    expect(join.swarms.map(({ section }) => section)).toEqual(['/'])
    expect(parsePass(join.pass).pass).toMatchObject({ sections: ['/'], fingerprint: '0b'.repeat(32) })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('vary')).toContain('origin')
  })

  test('may be read by pages of allowed origins alone', async () => {
    const allowedOrigins = ['https://www.example.org']
    const other = await site.open({ state: `${site.state}-2`, allowedOrigins })
    for (const [from, allowed] of [
      ['https://www.example.org', 'https://www.example.org'],
      ['https://evil.example', null],
      ['null', null],
    ] as const) {
      const init = { method: 'POST', body: request, headers: { origin: from } }
      const response = await other.app.request('/.well-known/nearhand/join', init)
      expect(response.headers.get('access-control-allow-origin')).toBe(allowed)
    }
  })

  test('is a POST', async () => {
    const response = await ask('/.well-known/nearhand/join')
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST'])
  })

  test.each([
    '',
    '{}',
    '{"fingerprint":"AB:CD"}',
    `{"fingerprint":"${'0b'.repeat(32)}","admin":true}`,
    ' '.repeat(2000),
  ])('refuses the request %j', async (body) => {
    const response = await origin.app.request('/.well-known/nearhand/join', { method: 'POST', body })
    expect(response.status).toBe(400)
  })

  test('reads no more of a request than it takes', async () => {
    let pulled = 0
    const body = new ReadableStream({
      pull(controller) {
        pulled += 1
        controller.enqueue(new Uint8Array(1000))
      },
    })
    const init = { method: 'POST', body, duplex: 'half' }
    const response = await origin.app.request('/.well-known/nearhand/join', init)
    expect(response.status).toBe(400)
    expect(pulled).toBeLessThan(5)
  })
})

test('createApp() serves the scripts, the service worker with its configuration', async () => {
  expect(await (await ask('/nearhand.js')).text()).toBe('/* tag */')
  expect(await (await ask('/nearhand-worker.js')).text()).toBe('/* worker */')
  expect(await (await ask('/nearhand-consent.js')).text()).toBe('/* prompt */')
  expect(await (await ask('/nearhand-peers.js')).text()).toBe('/* peers */')
  const response = await ask('/nearhand-sw.js')
  expect(response.headers.get('cache-control')).toBe('no-cache')
  expect(await response.text()).toMatch(/^self\.nearhandConfig=\{"version":1.*\n\/\* service worker \*\/$/s)
})

test('createApp() tells its health', async () => {
  const response = await ask('/healthz')
  const { seq } = origin.publication.head
  expect(await response.json()).toEqual({ status: 'ok', seq, assets: origin.publication.assets.size, peers: 0 })
})

test('createApp() leaves what it has not to the app that it is mounted in', async () => {
  const app = new Hono()
  app.route('/', origin.app)
  app.post('/api', (context) => context.text('posted'))
  app.get('/api', (context) => context.text('got'))
  expect(await (await app.request('/api', { method: 'POST' })).text()).toBe('posted')
  expect(await (await app.request('/api')).text()).toBe('got')
  expect(await (await app.request('/late.txt')).text()).toBe('not published yet')
})

test('createApp() keeps to its base', async () => {
  const other = await site.open({ state: `${site.state}-3`, base: '/docs/', inject: true })
  const home = await other.app.request('/docs/')
  expect(await home.text()).toContain('<script src="/docs/nearhand.js"')
  expect((await other.app.request('/')).status).toBe(404)
  expect((await other.app.request('/docs/nearhand-sw.js')).status).toBe(200)
  expect((await other.app.request('/docs/.well-known/nearhand/fresh.json')).status).toBe(200)
  expect((await other.app.request('/docs?a')).headers.get('location')).toBe('/docs/?a')
  expect((await other.app.request('/docs/guide')).headers.get('location')).toBe('/docs/guide/')
})
