import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chooseEncoding } from '../../origin/compress.ts'
import type { Origin } from '../../origin/origin.ts'
import type { SiteFixture } from './site-fixture.ts'
import { makeSite } from './site-fixture.ts'

const style = 'p { color: teal }\n'.repeat(200)

let site: SiteFixture
let origin: Origin

beforeAll(async () => {
  site = await makeSite({
    'images/photo.jpg': new Uint8Array(5000),
    'style-3f2a9c1b.css': style,
    'folder/note.txt': 'short',
  })
  origin = await site.open()
})

afterAll(() => site.close())

function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
  return Promise.resolve(origin.app.request(path, { headers, method }))
}

test.each([
  ['br, gzip', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['GZIP', 'gzip'],
  ['br;q=0, gzip;q=0.1', 'gzip'],
  ['br;q=0.0, gzip; q=0', undefined],
  ['br;q=nonsense', undefined],
  ['brotli', undefined],
  ['*', undefined],
  ['', undefined],
])('chooseEncoding() for Accept-Encoding %s is %s', (accepted, encoding) => {
  const headers = new Headers({ 'accept-encoding': accepted })
  expect(chooseEncoding(headers, { size: 2000, headers: [['content-type', 'text/css']] })).toBe(encoding)
})

describe('compression', () => {
  test.each([
    ['br', 'gzip, deflate, br', brotliDecompressSync],
    ['gzip', 'gzip;q=0.5, br;q=0', gunzipSync],
  ])('gives text as %s with an ETag of its own', async (encoding, accepted, decompress) => {
    const identity = await ask('/style-3f2a9c1b.css', {}, 'HEAD')
    const response = await ask('/style-3f2a9c1b.css', { 'accept-encoding': accepted })
    const etag = identity.headers.get('etag')?.replace(/"$/, `-${encoding}"`)
    expect(response.headers.get('content-encoding')).toBe(encoding)
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.has('content-length')).toBe(false)
    expect([identity.headers.get('vary'), response.headers.get('vary')]).toEqual(['accept-encoding', 'accept-encoding'])
    expect(decompress(await response.arrayBuffer()).toString()).toBe(style)
    const again = await ask('/style-3f2a9c1b.css', { 'accept-encoding': accepted, 'if-none-match': etag ?? '' })
    expect([again.status, again.headers.get('vary')]).toEqual([304, 'accept-encoding'])
  })

  test('is never mixed with ranges', async () => {
    for (const range of ['bytes=0-9', 'bytes=0-1,4-5']) {
      const response = await ask('/style-3f2a9c1b.css', { 'accept-encoding': 'br', range })
      expect(response.headers.has('content-encoding')).toBe(false)
      await response.body?.cancel()
    }
  })

  test.each(['/images/photo.jpg', '/folder/note.txt'])('leaves %s as it is', async (path) => {
    const response = await ask(path, { 'accept-encoding': 'br, gzip' })
    expect([response.headers.has('content-encoding'), response.headers.has('vary')]).toEqual([false, false])
    await response.body?.cancel()
  })
})
