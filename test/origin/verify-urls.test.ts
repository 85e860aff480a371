import { once } from 'node:events'
import { readFile, rm } from 'node:fs/promises'
import type { OutgoingHttpHeaders, Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { defaultScriptNames } from '../../origin/config.ts'
import { contentTypeOf } from '../../origin/content-types.ts'
import { createUrlReader } from '../../origin/site-reader.ts'
import { verifySite } from '../../origin/verify-site.ts'
import { composeWorker } from '../../origin/worker-file.ts'
import type { UrlRules } from '../../protocol/url-rules.ts'
import type { TemporarySite } from './temporary-site.ts'
import { seededRandom, someTime, withSite } from './temporary-site.ts'

const scripts = { tag: '1', worker: '2', prompt: '3', peers: '4', serviceWorker: '5' }
const names = defaultScriptNames
const files = { 'index.html': '<p>', 'film/a.bin': seededRandom(3)(70_000), 'members/b.bin': 'members alone' }

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** A static host of a folder below `from`. `refused` is answered with 403. */
async function host(folder: string, from: string, headers: OutgoingHttpHeaders = {}, refused = ''): Promise<string> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').replace(/\/$/, '/index.html')
    const file = readFile(join(folder, path.startsWith(from) ? path.slice(from.length) : 'none'))
    file.then(
      (bytes) => {
        const status = path === refused ? 403 : 200
        response.writeHead(status, { 'content-type': contentTypeOf(path), ...headers }).end(bytes)
      },
      () => response.writeHead(404, headers).end(),
    )
  })
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function publish(site: TemporarySite, urls: UrlRules, ofWorker: UrlRules = urls): Promise<void> {
  const { tag, worker, prompt, peers, serviceWorker } = names
  const written = { [tag]: '1', [worker]: '2', [prompt]: '3', [peers]: '4' }
  for (const [name, text] of Object.entries(written)) await site.write(name, text)
  await site.write(serviceWorker, composeWorker({ rootEnvelope: site.keys.rootEnvelope, urls: ofWorker }, '5'))
  await site.publish({ urls, guarded: ['/members/'], exclude: Object.values(names).map((name) => `/${name}`) })
}

async function look(base: string): Promise<string[]> {
  const problems: string[] = []
  const { signal } = new AbortController()
  await verifySite(createUrlReader(new URL(`${base}/`), 10_000, signal), {
    scriptNames: names,
    scripts,
    now: someTime,
    width: 2,
    report: (path, problem) => problems.push(`${path}: ${problem}`),
    signal,
  })
  return problems.toSorted()
}

const rulesOf = (media: string): UrlRules => ({
  ignoredQuery: [{ paths: '/film/**', names: ['token'] }],
  hosts: [{ host: media, from: '/there/', to: '/film/' }],
})
const guarded = '/members/b.bin'

test('verifySite() finds nothing wrong where another host may be read, and the own host lacks what lies there', () =>
  withSite(files, async (site) => {
    await withSite(files, async (elsewhere) => {
      const media = await host(join(elsewhere.folder, 'film'), '/there/', { 'access-control-allow-origin': '*' })
      await publish(site, rulesOf(media))
      const base = await host(site.folder, '/', {}, guarded)
      expect(await look(base)).toEqual([])
      await rm(join(site.folder, 'film/a.bin'))
      expect(await look(base)).toEqual([])
      await rm(join(elsewhere.folder, 'film/a.bin'))
      expect(await look(base)).toEqual(['/film/a.bin: missing', `${media}/there/a.bin: missing`])
    })
  }))

test.each<[string, OutgoingHttpHeaders]>([
  ['without CORS', {}],
  ['for others', { 'access-control-allow-origin': 'https://other.test' }],
])('verifySite() names a host that answers %s', (_, headers) =>
  withSite(files, async (site) => {
    const media = await host(join(site.folder, 'film'), '/there/', headers)
    await publish(site, rulesOf(media))
    const base = await host(site.folder, '/', {}, guarded)
    expect(await look(base)).toEqual([
      `${media}/there/a.bin: pages of ${base} may not read it: no access-control-allow-origin`,
    ])
  }),
)

test('verifySite() names a host that has other bytes, or not the file', () =>
  withSite(files, async (site) => {
    const media = await host(site.folder, '/there/', { 'access-control-allow-origin': '*' })
    await publish(site, rulesOf(media))
    const base = await host(site.folder, '/', {}, guarded)
    expect(await look(base)).toEqual([`${media}/there/a.bin: missing`])
    await site.write('a.bin', 'other')
    expect(await look(base)).toEqual([`${media}/there/a.bin: 5 bytes instead of 70000`])
  }))

test('verifySite() names a worker file with other rules than the head', () =>
  withSite(files, async (site) => {
    const media = await host(join(site.folder, 'film'), '/there/', { 'access-control-allow-origin': '*' })
    await publish(site, rulesOf(media), { ...rulesOf(media), ignoredQuery: [] })
    expect(await look(await host(site.folder, '/', {}, guarded))).toEqual([
      '/nearhand-sw.js: its rules of queries and hosts are not those of the head: give both the same options',
    ])
  }))

test('verifySite() names what is guarded and given to whoever asks', () =>
  withSite(files, async (site) => {
    await publish(site, { ignoredQuery: [], hosts: [] })
    expect(await look(await host(site.folder, '/'))).toEqual([
      '/members/b.bin: guarded, but the host gives it to whoever asks',
    ])
  }))
