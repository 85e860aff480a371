import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import { createServer, get, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { ServedOrigin, ServeOptions } from '../../origin/serve.ts'
import { serveOrigin } from '../../origin/serve.ts'
import { requestsPerConnection } from '../../protocol/limits.ts'
import type { SiteFixture } from './site-fixture.ts'
import { makeSite, testScripts } from './site-fixture.ts'

// More than the socket buffers of both ends take.
const large = new Uint8Array(24 * 1024 * 1024).fill(7)

let site: SiteFixture
let served: ServedOrigin | undefined

beforeEach(async () => {
  site = await makeSite({
    'index.html': '<!doctype html><p>Home',
    'large.bin': large,
    'text.css': 'p {}\n'.repeat(400_000),
  })
})

afterEach(async () => {
  await served?.close()
  served = undefined
  await site.close()
})

async function serve(options: Partial<ServeOptions> = {}): Promise<ServedOrigin> {
  const { folder, state, log } = site
  const fixed = {
    folder,
    state,
    scripts: testScripts,
    log: (line: string) => void log.push(line),
    stun: false,
  } as const
  served = await serveOrigin({ ...fixed, port: 0, host: 'localhost', ...options })
  return served
}

/** Begins a download and does not read on. */
async function beginDownload(url: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
  const [response] = (await once(get(url, { headers }), 'response')) as [IncomingMessage]
  response.pause()
  return response
}

/** The files below the site that this process has open. */
async function openFiles(): Promise<string[]> {
  const numbers = await readdir('/proc/self/fd').catch(() => [])
  const targets = await Promise.all(numbers.map((number) => readlink(`/proc/self/fd/${number}`).catch(() => '')))
  return targets.filter((target) => target.startsWith(site.folder))
}

test('serveOrigin() serves over a real socket', async () => {
  const { url } = await serve()
  expect(url).toMatch(/^http:\/\/localhost:\d+\/$/)
  const response = await fetch(url)
  expect([response.status, await response.text()]).toEqual([200, '<!doctype html><p>Home'])
  const download = await fetch(`${url}large.bin`)
  expect(Buffer.from(await download.arrayBuffer()).equals(large)).toBe(true)
  const head = await fetch(`${url}large.bin`, { method: 'HEAD' })
  expect(head.headers.get('content-length')).toBe(String(large.length))
})

test('serveOrigin() gives the place below its base', async () => {
  const { url } = await serve({ base: '/docs/' })
  expect(url).toMatch(/\/docs\/$/)
  expect((await fetch(url)).status).toBe(200)
})

test('serveOrigin() says which port is taken, before anything is published', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  await expect(serve({ port })).rejects.toThrow(`Cannot listen on localhost port ${port}: another program has the port`)
  await expect(readdir(site.state)).rejects.toThrow('ENOENT')
  other.close()
})

test('serveOrigin() frees its port where the folder cannot be published', async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  await expect(serve({ port, folder: `${site.folder}/nowhere` })).rejects.toThrow('no such folder')
  await serve({ port })
})

test('serveOrigin() resists paths that a client library would not send', async () => {
  const { url } = await serve()
  const { port } = new URL(url)
  for (const target of [
    '/../../../../etc/passwd',
    '//etc/passwd',
    '/..%2f..%2fetc/passwd',
    '/\\..\\..\\etc\\passwd',
    '/%',
    '*',
  ]) {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
    const chunks: Buffer[] = await socket.toArray()
    const text = Buffer.concat(chunks).toString()
    expect(text).toMatch(/^HTTP\/1\.1 4\d\d /)
    expect(text).not.toContain('root:')
  }
})

test('serveOrigin() answers upgrades that nobody takes', async () => {
  const { url } = await serve()
  const socket = new WebSocket(url.replace('http', 'ws').concat('other'))
  const [error] = (await once(socket, 'error')) as [Error]
  expect(error.message).toContain('404')
})

test('serveOrigin() ignores the wish for a protocol that it does not speak', async () => {
  const { url } = await serve()
  const { port } = new URL(url)
  for (const [target, status] of [
    ['/', 200],
    ['/.well-known/nearhand/tracker', 404],
  ] as const) {
    const socket = connect(Number(port), '127.0.0.1')
    const wish = 'connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__'
    socket.write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\n${wish}\r\n\r\n`)
    const chunks: Buffer[] = await socket.toArray()
    expect(Buffer.concat(chunks).toString()).toContain(`HTTP/1.1 ${status} `)
  }
  const response = request(`${url}large.bin`, { headers: { connection: 'upgrade', upgrade: 'h2c' } })
  response.end()
  const [download] = (await once(response, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = await download.toArray()
  expect(Buffer.concat(chunks).equals(large)).toBe(true)
})

test('serveOrigin() answers HTTP/1.0 without a Host, as health checks ask', async () => {
  const { url } = await serve()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /healthz HTTP/1.0\r\n\r\n')
  const chunks: Buffer[] = await socket.toArray()
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 200 /)
})

test('serveOrigin() answers pipelined requests in order', async () => {
  const { url } = await serve()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const targets = ['/', '/nowhere', '/text.css', '/']
  const last = targets.length - 1
  const requests = targets.map(
    (target, at) => `GET ${target} HTTP/1.1\r\nhost: x\r\n${at === last ? 'connection: close\r\n' : ''}\r\n`,
  )
  socket.write(requests.join(''))
  const chunks: Buffer[] = await socket.toArray()
  const statuses = Buffer.concat(chunks)
    .toString()
    .match(/HTTP\/1\.1 \d+/g)
  expect(statuses).toEqual(['HTTP/1.1 200', 'HTTP/1.1 404', 'HTTP/1.1 200', 'HTTP/1.1 200'])
})

test.skipIf(process.platform !== 'linux')('serveOrigin() opens one file at a time for a connection', async () => {
  const { url } = await serve()
  await vi.waitFor(async () => expect(await readdir(`${site.state}/content`)).toHaveLength(4), { timeout: 15_000 })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.write('GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(50))
  await once(socket, 'readable')
  // A later request is answered later than those that wait, were they answered at all.
  for (let asked = 0; asked < 5; asked += 1) await (await fetch(url)).text()
  expect(await openFiles()).toHaveLength(1)
  socket.destroy()
  await vi.waitFor(async () => expect(await openFiles()).toEqual([]))
})

test('serveOrigin() ends a connection that sends requests without end', async () => {
  const { url } = await serve()
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  const closed = once(socket, 'close')
  socket.write('GET /large.bin HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(requestsPerConnection + 2))
  socket.resume()
  await closed
  expect(socket.bytesRead).toBeLessThan(large.length * 2)
})

test.skipIf(process.platform !== 'linux')(
  'serveOrigin() closes a connection whose visitor does not read on',
  async () => {
    const { url } = await serve({ stallWaitMs: 200 })
    const download = await beginDownload(`${url}large.bin`)
    const ended = once(download, 'error')
    await vi.waitFor(async () => expect(await openFiles()).toEqual([]), { timeout: 5000 })
    // The end is behind all that the socket took before.
    download.resume()
    await ended
    expect(download.complete).toBe(false)
  },
)

test.skipIf(process.platform !== 'linux')('serveOrigin() lets go of a file when the visitor leaves', async () => {
  const { url } = await serve()
  await vi.waitFor(async () => expect(await readdir(`${site.state}/content`)).toHaveLength(4), { timeout: 15_000 })
  const downloads = [
    await beginDownload(`${url}large.bin`),
    await beginDownload(`${url}large.bin`, { range: 'bytes=100-' }),
    await beginDownload(`${url}text.css`, { 'accept-encoding': 'br' }),
    await beginDownload(`${url}text.css`, { 'accept-encoding': 'gzip' }),
  ]
  await vi.waitFor(async () => expect(await openFiles()).not.toEqual([]))
  for (const download of downloads) download.destroy()
  await vi.waitFor(async () => expect(await openFiles()).toEqual([]))
  for (const path of ['large.bin', 'index.html', 'text.css', 'nowhere']) {
    await (await fetch(url + path, { method: 'HEAD' })).text()
    await (await fetch(url + path, { headers: { range: 'bytes=9999999999-' } })).text()
  }
  await vi.waitFor(async () => expect(await openFiles()).toEqual([]))
})

test('ServedOrigin.close() lets a running response end, and takes no new connection', async () => {
  const running = await serve()
  const { url } = running
  const download = await beginDownload(`${url}large.bin`)
  const closing = running.close()
  await vi.waitFor(() => expect(fetch(url)).rejects.toThrow('fetch failed'))
  const chunks: Buffer[] = await download.toArray()
  expect(Buffer.concat(chunks).equals(large)).toBe(true)
  await closing
})

test('ServedOrigin.close() tells tracker clients that it stops', async () => {
  const running = await serve()
  const { url } = running
  const address = `${url.replace('http', 'ws')}.well-known/nearhand/tracker`
  const socket = new WebSocket(address, { headers: { origin: new URL(url).origin } })
  const told: string[] = []
  socket.on('message', (payload: Buffer) => told.push(payload.toString()))
  await once(socket, 'message')
  const closed = once(socket, 'close')
  await running.close()
  const [code] = (await closed) as [number]
  expect([code, told.at(-1)]).toEqual([1012, '{"type":"fault","fault":"stopping"}'])
})

test('ServedOrigin.close() waits for nobody who does not read', async () => {
  const running = await serve()
  const { url } = running
  const download = await beginDownload(`${url}large.bin`)
  const ended = once(download, 'error')
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const closing = running.close()
  await vi.advanceTimersByTimeAsync(5000)
  vi.useRealTimers()
  await closing
  download.resume()
  await ended
})

test('ServedOrigin.close() does not wait for an upgrade that was refused', async () => {
  const running = await serve()
  const socket = connect({ port: Number(new URL(running.url).port), host: '127.0.0.1', allowHalfOpen: true })
  const ended = once(socket, 'end')
  socket.write('GET /other HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n')
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString()).toContain('HTTP/1.1 404 ')
  await ended
  expect(socket.writable).toBe(true)
  await Promise.race([running.close(), delay(4000).then(() => Promise.reject(new Error('Still open after 4 s')))])
  socket.destroy()
})

test('ServedOrigin.close() does not wait for idle connections', async () => {
  const running = await serve()
  const { url } = running
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  await once(socket, 'connect')
  const alive = request(url)
  alive.end()
  const [response] = (await once(alive, 'response')) as [IncomingMessage]
  await response.toArray()
  const ended = once(socket, 'close')
  await Promise.race([running.close(), delay(4000).then(() => Promise.reject(new Error('Still open after 4 s')))])
  await ended
})
