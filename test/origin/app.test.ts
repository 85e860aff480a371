import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Origin } from '../../origin/origin.ts'
import type { SiteFixture } from './site-fixture.ts'
import { makeSite } from './site-fixture.ts'

let site: SiteFixture
let origin: Origin

beforeAll(async () => {
  site = await makeSite({
    'index.html': '<!doctype html><head><title>Home</title></head><p>Hello',
    'guide/index.html': '<!doctype html><p>Guide',
    'photo.jpg': new Uint8Array(200_000).map((_, at) => at % 251),
    'empty.bin': '',
    '.env': 'SECRET=1',
  })
  origin = await site.open({ inject: true })
})

afterAll(() => site.close())

test('createApp() serves a listed file with the type, ETag and length of the manifest', async () => {
  const response = await origin.app.request('/photo.jpg')
  expect(response.status).toBe(200)
  const asset = origin.publication.assets.get('/photo.jpg')
  expect(response.headers.get('etag')).toBe(`"${asset?.id.slice(0, 32)}"`)
  expect(response.headers.get('content-type')).toBe('image/jpeg')
  expect((await response.arrayBuffer()).byteLength).toBe(200_000)
  for (const path of [
    '/',
    '/guide',
    '/empty.bin',
    '/.env',
    '/nearhand-sw.js',
    '/healthz',
    '/.well-known/nearhand/fresh.json',
    '/.well-known/nearhand/join',
  ]) {
    const r = await origin.app.request(path)
    console.log(path, r.status, [...r.headers], (await r.text()).slice(0, 300))
  }
})
