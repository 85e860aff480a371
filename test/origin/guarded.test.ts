import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { admitByUrl } from '../../origin/admit-url.ts'
import type { Admit } from '../../origin/config.ts'
import type { Origin } from '../../origin/origin.ts'
import { parsePass } from '../../protocol/pass.ts'
import type { SiteFixture } from './site-fixture.ts'
import { joinOf, makeSite } from './site-fixture.ts'

let site: SiteFixture

beforeAll(async () => {
  site = await makeSite({
    'index.html': '<!doctype html><p>Home',
    'members/film.bin': 'members alone',
    'members/also.bin': 'everybody',
    'also.bin': 'everybody',
    'staff/list.bin': 'staff alone',
  })
})
afterAll(() => site.close())

const guarded = ['/members/', '/staff/']

async function open(name: string, admit?: Admit): Promise<Origin> {
  const origin = await site.open({ state: `${site.state}-${name}`, guarded, admit })
  onTestFinished(() => origin.close())
  return origin
}

const join = '/.well-known/nearhand/join'
const body = JSON.stringify({ fingerprint: '0b'.repeat(32) })

async function sectionsOf(origin: Origin, query = '', headers = {}): Promise<readonly string[]> {
  const { pass, swarms } = await joinOf(origin, `http://x${join}${query}`, headers)
  expect(swarms.map(({ section }) => section)).toEqual(parsePass(pass).pass.sections)
  return parsePass(pass).pass.sections
}

describe('a guarded section', () => {
  test('is signed as such, and so are its assets', async () => {
    const { publication } = await open('signed')
    expect(publication.head).toMatchObject({ sections: ['/', '/members/', '/staff/'], guarded })
    expect(publication.assets.get('/members/film.bin')?.isGuarded).toBe(true)
    expect(publication.assets.get('/also.bin')?.isGuarded).toBeUndefined()
  })

  test('opens to nobody by itself', async () => {
    expect(await sectionsOf(await open('closed'))).toEqual(['/'])
  })

  test('opens to whom the site admits, by the request of the page', async () => {
    const asked: unknown[] = []
    const origin = await open('admit', (request, sections) => {
      asked.push(sections)
      const isKnown = request.headers.get('cookie') === 'id=7' || new URL(request.url).search === '?id=7'
      return isKnown ? ['/members/', '/other/', '/'] : []
    })
    expect(await sectionsOf(origin)).toEqual(['/'])
    expect(await sectionsOf(origin, '?id=7')).toEqual(['/', '/members/'])
    expect(await sectionsOf(origin, '', { cookie: 'id=7' })).toEqual(['/', '/members/'])
    expect(asked).toEqual([guarded, guarded, guarded])
  })

  test('stays closed where the site fails to say', async () => {
    const origin = await open('failing', () => Promise.reject(new Error('no database')))
    expect(await sectionsOf(origin)).toEqual(['/'])
    expect(site.log.join()).toContain('Cannot admit to /members/, /staff/: no database')
  })

  test('is not open by the name of its content, which everybody can read in the catalogue', async () => {
    const origin = await open('content')
    const statusOf = async (path: string): Promise<number> => {
      const id = origin.publication.assets.get(path)?.id
      return (await origin.app.request(`/.well-known/nearhand/content/${id}`)).status
    }
    expect(await statusOf('/members/film.bin')).toBe(404)
    expect(await statusOf('/members/also.bin'), 'also published for everybody').toBe(200)
    const film = origin.publication.assets.get('/members/film.bin')?.id
    await site.write('members/film.bin', 'another film')
    await origin.publish()
    expect((await origin.app.request(`/.well-known/nearhand/content/${film}`)).status, 'an earlier one').toBe(404)
  })

  test('that is the whole site lets nobody join who is not admitted', async () => {
    const origin = await site.open({ state: `${site.state}-all`, guarded: ['/'] })
    expect((await origin.app.request(join, { method: 'POST', body })).status).toBe(404)
  })
})

describe('admitByUrl()', () => {
  async function backend(answer: (url: string, cookie: string | undefined) => [number, string]): Promise<string> {
    const server = createServer((request, response) => {
      const [status, text] = answer(request.url ?? '', request.headers.cookie)
      response.writeHead(status).end(text)
    })
    onTestFinished(() => void server.close())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/may?key=1`
  }

  test('asks with the cookies and the query of the visitor’s page', async () => {
    const asked: unknown[] = []
    const url = await backend((...request) => (asked.push(request), [200, '["/members/"]']))
    const request = new Request('https://x/join?id=7', { headers: { cookie: 'a=b' } })
    expect(await admitByUrl(url, () => {})(request, guarded)).toEqual(['/members/'])
    expect(asked).toEqual([['/may?key=1&id=7', 'a=b']])
  })

  test('lets no visitor say what the operator’s URL says', async () => {
    const asked: string[] = []
    const url = await backend((path) => (asked.push(path), [200, '[]']))
    await admitByUrl(url, () => {})(new Request('https://x/join?id=7&key=2&%6bey=3&id=8'), guarded)
    expect(asked).toEqual(['/may?key=1&id=7&id=8'])
  })

  test.each<[string, number, string]>([
    ['says no', 403, '["/members/"]'],
    ['sends elsewhere', 302, '["/members/"]'],
    ['fails', 500, ''],
    ['says nothing that is understood', 200, '{"sections":["/members/"]}'],
    ['says no JSON', 200, 'yes'],
    ['says too much', 200, JSON.stringify(Array.from({ length: 17 }, () => '/members/'))],
  ])('admits nowhere where the backend %s', async (_, status, text) => {
    const url = await backend(() => [status, text])
    expect(await admitByUrl(url, () => {})(new Request('https://x/join'), guarded)).toEqual([])
  })

  test('admits nowhere where there is no backend, and says so without the query', async () => {
    const log: string[] = []
    const request = new Request('https://x/join?secret=7')
    expect(await admitByUrl('http://127.0.0.1:1/may?key=1', (line) => log.push(line))(request, guarded)).toEqual([])
    expect(log.join()).toMatch(/^Cannot ask http:\/\/127\.0\.0\.1:1\/may whom to admit: /)
    expect(log.join()).not.toContain('secret')
  })
})
