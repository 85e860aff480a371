import { mkdir, readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Origin } from '../../origin/origin.ts'
import { parseFresh } from '../../protocol/manifest.ts'
import type { SiteFixture } from './site-fixture.ts'
import { joinOf, makeSite } from './site-fixture.ts'

const daySeconds = 86_400
const video = Uint8Array.from({ length: 150_000 }, (_, at) => at % 253)

let site: SiteFixture

beforeEach(async () => {
  site = await makeSite({ 'index.html': '<!doctype html><p>One', 'video.mp4': video })
})

afterEach(() => site.close())

async function textOf(origin: Origin, path: string): Promise<string> {
  return (await origin.app.request(path)).text()
}

async function freshOf(origin: Origin): Promise<ReturnType<typeof parseFresh> | undefined> {
  const response = await origin.app.request('/.well-known/nearhand/fresh.json')
  if (!response.ok) return undefined
  const { payload } = (await response.json()) as { payload: string }
  return parseFresh(Buffer.from(payload, 'base64'))
}

describe('createOrigin()', () => {
  test('makes keys on the first run alone, and says what to back up', async () => {
    const first = await site.open()
    expect(site.log.join('\n')).toMatch(/Made the keys of site [0-9a-f]{32} in .*Back up root\.key/s)
    site.log.length = 0
    await first.close()
    const second = await site.open()
    expect(second.publication.head.site).toBe(first.publication.head.site)
    expect(site.log).toEqual([])
  })

  test('keeps the head over a restart where nothing changed', async () => {
    const first = await site.open()
    await first.close()
    expect((await site.open()).publication.headHash).toBe(first.publication.headHash)
  })

  test.each([
    ['keys within the site', { keys: 'site/keys' }, /everybody could read it/],
    ['state within the site', { state: 'site/state' }, /everybody could read it/],
    ['state that is the site', { state: 'site' }, /everybody could read it/],
  ])('refuses %s', async (_name, places, reason) => {
    const inRoot = Object.entries(places).map(([name, place]) => [name, join(site.folder, '..', place)])
    await expect(site.open(Object.fromEntries(inRoot))).rejects.toThrow(reason)
    expect(await readdir(site.folder)).toEqual(['index.html', 'video.mp4'])
  })

  test('refuses keys that a link will put into the site', async () => {
    await symlink(site.folder, `${site.folder}-link`)
    await expect(site.open({ keys: `${site.folder}-link/keys` })).rejects.toThrow(/everybody could read it/)
    expect(await readdir(site.folder)).toEqual(['index.html', 'video.mp4'])
  })

  test('takes a hidden folder of the site for its state, and never serves it', async () => {
    const origin = await site.open({ state: join(site.folder, '.nearhand') })
    expect((await origin.app.request('/.nearhand/keys/root.key')).status).toBe(404)
    expect([...origin.publication.assets.keys()]).toEqual(['/index.html', '/video.mp4'])
  })

  test('rejects where there is no such folder, and makes no keys', async () => {
    await expect(site.open({ folder: join(site.folder, 'nowhere') })).rejects.toThrow('no such folder')
    await expect(readdir(site.state)).rejects.toThrow('ENOENT')
  })

  test('rejects where another origin uses the state, until that is closed', async () => {
    const first = await site.open()
    await expect(site.open()).rejects.toThrow(`process ${process.pid} uses it for ${site.folder}`)
    await first.close()
    await expect(site.open({ keys: join(site.state, 'lock/keys') })).rejects.toThrow()
    await site.open()
  })

  test('answers below a base with letters that a URL escapes', async () => {
    const origin = await site.open({ base: '/%C3%BC/' })
    expect(await textOf(origin, '/ü/')).toContain('One')
    expect((await origin.app.request('/ü')).headers.get('location')).toBe('/%C3%BC/')
  })

  test('serves on without STUN where its port is taken', async () => {
    const options = { stun: { port: 0, host: 'no.such.address.invalid' } }
    const origin = await site.open(options)
    expect(site.log.join('\n')).toContain('Cannot answer STUN')
    expect(await textOf(origin, '/')).toContain('One')
    expect(await joinOf(origin)).toMatchObject({ iceServers: [] })
  })

  test('names its own STUN server by the host that a visitor asks, where it listens there', async () => {
    const join = (origin: Origin): Promise<unknown> =>
      joinOf(origin, 'https://www.example.org/.well-known/nearhand/join')
    const everywhere = await site.open({ stun: { port: 0 } })
    expect(await join(everywhere)).toMatchObject({
      iceServers: [{ urls: [expect.stringMatching(/^stun:www\.example\.org:\d+$/)] }],
    })
    await everywhere.close()
    expect(await join(await site.open({ stun: { port: 0, host: '127.0.0.1' } }))).toMatchObject({ iceServers: [] })
  })

  test.each([
    ['http://localhost:8080', undefined, undefined, true],
    ['https://www.example.org', undefined, undefined, false],
    ['http://localhost:8080', 'https://www.example.org', undefined, false],
    ['http://localhost:8080', undefined, false, false],
    ['https://www.example.org', undefined, true, true],
  ])('tells a visitor of %s from page %s, with lan %s: %s', async (host, page, lan, told) => {
    const origin = await site.open({ lan })
    const headers: Record<string, string> = page === undefined ? {} : { origin: page }
    expect(await joinOf(origin, `${host}/.well-known/nearhand/join`, headers)).toMatchObject({ lan: told })
  })
})

describe('a file that changes after it was published', () => {
  test('is served as it is on disk, under another ETag, and published again', async () => {
    const origin = await site.open()
    const before = await origin.app.request('/video.mp4', { method: 'HEAD' })
    await site.write('video.mp4', 'shorter now')
    const response = await origin.app.request('/video.mp4')
    expect(response.headers.get('etag')).not.toBe(before.headers.get('etag'))
    expect([response.headers.get('content-length'), await response.text()]).toEqual(['11', 'shorter now'])
    await vi.waitFor(() => expect(origin.publication.assets.get('/video.mp4')?.size).toBe(11))
  })

  test('is noticed where size and time of change stay the same', async () => {
    const origin = await site.open()
    const time = new Date(1_700_000_000_000)
    await utimes(join(site.folder, 'video.mp4'), time, time)
    await origin.publish()
    const etag = (await origin.app.request('/video.mp4', { method: 'HEAD' })).headers.get('etag')
    await site.write('video.mp4', video.toReversed())
    await utimes(join(site.folder, 'video.mp4'), time, time)
    expect((await origin.app.request('/video.mp4', { method: 'HEAD' })).headers.get('etag')).not.toBe(etag)
  })

  test('breaks a response that runs, where it is cut short', async () => {
    const origin = await site.open()
    await site.write('long.bin', new Uint8Array(1_000_000))
    const reader = (await origin.app.request('/long.bin')).body?.getReader()
    await reader?.read()
    await site.write('long.bin', 'x')
    const readAll = async () => {
      while (!(await reader?.read())?.done) continue
    }
    await expect(readAll()).rejects.toThrow('shorter')
  })

  test('is another at once where a link leads to the next release', async () => {
    const link = `${site.folder}-current`
    await symlink(site.folder, link)
    const origin = await site.open({ folder: link })
    await mkdir(`${site.folder}-2`)
    await writeFile(`${site.folder}-2/index.html`, 'Two')
    await symlink(`${site.folder}-2`, `${link}-new`)
    await rename(`${link}-new`, link)
    expect(await textOf(origin, '/')).toBe('Two')
    expect((await origin.app.request('/video.mp4')).status).toBe(404)
    await vi.waitFor(() => expect([...origin.publication.assets.keys()]).toEqual(['/index.html']))
  })

  test('is missing at once where it is removed', async () => {
    const origin = await site.open()
    await rm(join(site.folder, 'video.mp4'))
    expect((await origin.app.request('/video.mp4')).status).toBe(404)
    await vi.waitFor(() => expect(origin.publication.assets.has('/video.mp4')).toBe(false))
  })

  test('leaves its old content readable by id', async () => {
    const origin = await site.open()
    const path = `/.well-known/nearhand/content/${origin.publication.assets.get('/video.mp4')?.id}`
    await vi.waitFor(async () => {
      const kept = await readdir(join(site.state, 'content'))
      expect(kept).toContain(origin.publication.assets.get('/video.mp4')?.id)
    })
    await site.write('video.mp4', 'new')
    await origin.publish()
    const response = await origin.app.request(path, { headers: { range: 'bytes=100000-' } })
    expect(response.status).toBe(206)
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(video.slice(100_000))
  })
})

describe('injection', () => {
  test('is part of what is published, so manifest and bytes agree', async () => {
    const origin = await site.open({ inject: { consent: 'granted' } })
    const html = await textOf(origin, '/')
    expect(html).toBe('<!doctype html><script src="/nearhand.js" data-consent="granted" async></script><p>One')
    expect(origin.publication.assets.get('/index.html')?.size).toBe(html.length)
  })

  test('that leaves pages out says so once, with their names', async () => {
    await site.write('part.html', '<li>x')
    const origin = await site.open({ inject: true })
    await origin.publish()
    expect(site.log.filter((line) => line.includes('No tag in 1 of the HTML files'))).toEqual([
      expect.stringContaining('/part.html'),
    ])
  })

  test('reaches a page that is not published yet', async () => {
    const origin = await site.open({ inject: true })
    await site.write('new.html', '<!doctype html><p>New')
    const response = await origin.app.request('/new.html')
    const etag = response.headers.get('etag') ?? ''
    expect(await response.text()).toContain('data-consent="ask"')
    expect((await origin.app.request('/new.html', { headers: { 'if-none-match': etag } })).status).toBe(304)
  })
})

describe('fresh', () => {
  test('is signed anew at half its life, and never handed out expired', async () => {
    let seconds = 1_800_000_000
    const origin = await site.open({ freshSeconds: 100, now: () => seconds * 1000 })
    expect(await freshOf(origin)).toMatchObject({ issued: seconds, expires: seconds + 100 })
    seconds += 49
    expect(await freshOf(origin)).toMatchObject({ issued: seconds - 49 })
    seconds += 1
    expect(await freshOf(origin)).toMatchObject({ issued: seconds })
    seconds += 10_000
    expect(await freshOf(origin)).toMatchObject({ issued: seconds, expires: seconds + 100 })
  })

  test('holds no longer than the root allows, and the server says so', async () => {
    await (await site.open({ freshSeconds: 100 })).close()
    const origin = await site.open({ freshSeconds: 300 })
    const { issued = 0, expires } = (await freshOf(origin)) ?? {}
    expect(expires).toBe(issued + 100)
    expect(site.log.join()).toContain('Signs what holds for 100 seconds and not for 300')
  })

  test('is never issued before the last, should the clock be set back', async () => {
    let seconds = 1_800_000_000
    const origin = await site.open({ now: () => seconds * 1000 })
    await freshOf(origin)
    seconds -= 5000
    await site.write('video.mp4', 'new')
    await origin.publish()
    expect(await freshOf(origin)).toMatchObject({ issued: 1_800_000_000 })
  })

  test('makes a new head before the old one expires, and none is named that did', async () => {
    let seconds = 1_800_000_000
    const origin = await site.open({ now: () => seconds * 1000 })
    const first = origin.publication.headHash
    seconds += 20 * daySeconds
    expect(await freshOf(origin)).toMatchObject({ heads: [{ hash: first }] })
    await vi.waitFor(() => expect(origin.publication.headHash).not.toBe(first))
    await rm(site.folder, { recursive: true })
    seconds += 31 * daySeconds
    expect(await freshOf(origin)).toBeUndefined()
    await vi.waitFor(() => expect(site.log.join('\n')).toContain('Cannot publish'))
  })
})

test('createOrigin() warns of a root that ends soon, not at each publication', async () => {
  let seconds = 1_800_000_000
  const origin = await site.open({ now: () => seconds * 1000 })
  seconds += 340 * daySeconds
  await origin.publish()
  await origin.publish()
  expect(site.log.filter((line) => line.includes('The root of the keys ends on'))).toHaveLength(1)
})

describe('watch', { timeout: 20_000 }, () => {
  test('publishes again when files come, change and go, in new folders too', async () => {
    const origin = await site.open({ watch: true })
    const listed = (): string[] => [...origin.publication.assets.keys()]
    await site.write('deep/new/file.txt', 'a')
    await vi.waitFor(() => expect(listed()).toContain('/deep/new/file.txt'), { timeout: 15_000 })
    await site.write('deep/new/other.txt', 'b')
    await vi.waitFor(() => expect(listed()).toContain('/deep/new/other.txt'), { timeout: 15_000 })
    await writeFile(join(site.folder, 'deep/new/file.txt'), 'changed')
    await vi.waitFor(() => expect(origin.publication.assets.get('/deep/new/file.txt')?.size).toBe(7), {
      timeout: 15_000,
    })
    await rm(join(site.folder, 'deep'), { recursive: true })
    await vi.waitFor(() => expect(listed()).toEqual(['/index.html', '/video.mp4']), { timeout: 15_000 })
  })

  test('comes back to a folder that is removed and built anew', async () => {
    const origin = await site.open({ watch: true })
    await rm(site.folder, { recursive: true })
    await vi.waitFor(() => expect(site.log.join('\n')).toContain('Cannot watch'), { timeout: 15_000 })
    expect(origin.publication.assets.size).toBe(2)
    await site.write('fresh.txt', 'built')
    await vi.waitFor(() => expect([...origin.publication.assets.keys()]).toEqual(['/fresh.txt']), { timeout: 15_000 })
    await site.write('second.txt', 'built')
    await vi.waitFor(() => expect(origin.publication.assets.size).toBe(2), { timeout: 15_000 })
  })
})

test('Origin.publish() called while one runs ends with what the folder held at the call', async () => {
  const origin = await site.open()
  const first = origin.publish()
  await site.write('late.txt', 'x')
  const [, second, third] = await Promise.all([first, origin.publish(), origin.publish()])
  expect(second.assets.has('/late.txt')).toBe(true)
  expect(third).toBe(second)
})

test('Origin.publish() that fails leaves what was published', async () => {
  const origin = await site.open()
  const { headHash } = origin.publication
  await rm(site.folder, { recursive: true })
  await expect(origin.publish()).rejects.toThrow('no such folder')
  expect(origin.publication.headHash).toBe(headHash)
})
