import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { resolveConfig } from '../../origin/config.ts'
import type { Origin } from '../../origin/origin.ts'
import { Publisher } from '../../origin/publisher.ts'
import { SiteFiles } from '../../origin/site-files.ts'
import type { SiteFixture } from './site-fixture.ts'
import { makeSite } from './site-fixture.ts'
import { seededRandom, someTime } from './temporary-site.ts'
import { makeKeys } from '../../origin/keys.ts'

const latin1Page = Buffer.from('<!doctype html><meta charset=iso-8859-1><p>caf\xe9', 'latin1')
const utf8Page = '<!doctype html><meta charset=utf-8><p>caf\u00e9'

let site: SiteFixture

beforeEach(async () => {
  site = await makeSite()
})

afterEach(() => site.close())

function typeOf(response: Response): string | null {
  return response.headers.get('content-type')
}

describe('a text in an older charset', () => {
  async function ask(origin: Origin, path: string): Promise<Response> {
    const response = await origin.app.request(path)
    // What a peer's visitor gets is what the manifest says.
    const signed = origin.publication.assets.get(path)?.headers.find(([name]) => name === 'content-type')
    if (signed) expect(typeOf(response)).toBe(signed[1])
    return response
  }

  test.each([false, true])('keeps its own word about it, with injection %s', async (inject) => {
    await site.write('latin1.html', latin1Page)
    await site.write('utf8.html', utf8Page)
    await site.write('marked.html', `\ufeff${utf8Page}`)
    await site.write('latin1.css', latin1Page)
    const origin = await site.open({ inject })
    const response = await ask(origin, '/latin1.html')
    expect(typeOf(response)).toBe('text/html')
    expect(Buffer.from(await response.arrayBuffer()).toString('latin1')).toContain('caf\xe9')
    expect(typeOf(await ask(origin, '/utf8.html'))).toBe('text/html; charset=utf-8')
    expect(typeOf(await ask(origin, '/marked.html'))).toBe('text/html; charset=utf-8')
    expect(typeOf(await ask(origin, '/latin1.css'))).toBe('text/css')
    expect(origin.publication.assets.size).toBe(4)
    // Another run knows the files already.
    expect((await origin.publish()).headHash).toBe(origin.publication.headHash)
    expect(typeOf(await ask(origin, '/latin1.html'))).toBe('text/html')
  })

  test.each([false, true])('does so before it is published, with injection %s', async (inject) => {
    const origin = await site.open({ inject })
    await site.write('latin1.html', latin1Page)
    await site.write('utf8.html', utf8Page)
    expect(typeOf(await ask(origin, '/latin1.html'))).toBe('text/html')
    expect(typeOf(await ask(origin, '/utf8.html'))).toBe('text/html; charset=utf-8')
  })

  test('has the charset that a rule names', async () => {
    await site.write('latin1.html', latin1Page)
    const type = 'text/html; charset=iso-8859-1'
    const origin = await site.open({ headers: [{ pattern: '/**.html', headers: { 'content-type': type } }] })
    expect(typeOf(await ask(origin, '/latin1.html'))).toBe(type)
  })
})

describe('a page with an injected copy', () => {
  test('is new as soon as its file is', async () => {
    await site.write('index.html', '<!doctype html><p>One')
    const origin = await site.open({ inject: true })
    await site.write('index.html', '<!doctype html><p>Two')
    const text = await (await origin.app.request('/')).text()
    expect(text).toMatch(/nearhand\.js.*Two$/)
    await vi.waitFor(() => expect(origin.publication.assets.get('/index.html')?.size).toBe(text.length))
    expect(await (await origin.app.request('/')).text()).toBe(text)
  })

  test('is gone as soon as its file is', async () => {
    await site.write('index.html', '<!doctype html><p>One')
    const origin = await site.open({ inject: true })
    await rm(join(site.folder, 'index.html'))
    expect((await origin.app.request('/')).status).toBe(404)
  })

  test('is made again where the copy is gone', async () => {
    await site.write('index.html', '<!doctype html><p>One')
    const origin = await site.open({ inject: true })
    await rm(join(site.state, 'injected'), { recursive: true })
    expect(await (await origin.app.request('/')).text()).toMatch(/nearhand\.js.*One$/)
  })
})

test('SiteFiles serves a name that is too long for the manifest', async () => {
  const name = `${'\u6587'.repeat(80)}/${'\u5b57'.repeat(80)}.txt`
  await site.write(name, 'long')
  const origin = await site.open()
  expect(origin.publication.skipped).toMatchObject([{ reason: expect.stringContaining('over 1024 characters') }])
  expect(await (await origin.app.request(`/${name}`)).text()).toBe('long')
})

test('SiteFiles serves no secret, not even one that was published', async () => {
  await site.write('open.txt', 'x')
  const secret = join(site.folder, 'secret')
  const keys = await makeKeys(secret, { now: someTime, random: seededRandom(1) })
  const fixed = { folder: site.folder, state: site.state, now: () => someTime * 1000 }
  // As one that does not know where the keys are.
  const publisher = new Publisher(resolveConfig({ ...fixed, keys: `${site.state}/keys` }), keys, () => undefined)
  await publisher.publish()
  expect(publisher.publication?.assets.has('/secret/root.key')).toBe(true)
  const files = await SiteFiles.open(resolveConfig({ ...fixed, keys: secret }), publisher)
  expect(await files.find('/secret/root.key')).toBeUndefined()
  const found = await files.find('/open.txt')
  expect(found?.type).toBe('representation')
  if (found?.type === 'representation') await found.representation.close()
  await publisher.close()
})

test('SiteFiles says of each published page with which head it was made, and of nothing else', async () => {
  await site.write('index.html', '<!doctype html><p>One')
  await site.write('a.css', 'p{}')
  const origin = await site.open({ inject: true })
  const head = async (path: string): Promise<string | null> =>
    (await origin.app.request(path)).headers.get('nearhand-head')
  expect([await head('/'), await head('/a.css')]).toEqual([origin.publication.headHash, null])
  const { etag = '' } = Object.fromEntries((await origin.app.request('/')).headers)
  const notModified = await origin.app.request('/', { headers: { 'if-none-match': etag } })
  expect([notModified.status, notModified.headers.get('nearhand-head')]).toEqual([304, origin.publication.headHash])
  await site.write('index.html', '<!doctype html><p>Two, not published yet')
  expect(await head('/')).toBeNull()
})
