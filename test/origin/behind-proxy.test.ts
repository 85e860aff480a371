import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type { OriginOptions } from '../../origin/config.ts'
import { trackerFile } from '../../protocol/join.ts'
import { manifestFolder } from '../../protocol/manifest.ts'
import { parseFromTracker } from '../../protocol/tracker-wire.ts'
import type { SiteFixture } from './site-fixture.ts'
import { joinOf, makeSite } from './site-fixture.ts'

let site: SiteFixture

beforeEach(async () => {
  site = await makeSite({ 'index.html': 'Hello' })
})
afterEach(() => site.close())

type Visit = (page: string, forwardedFor?: string) => Promise<number>

/** Joins as a page does whose requests arrive from this machine, and gives how many others it is told of. */
async function serve(options: Partial<OriginOptions>): Promise<Visit> {
  const origin = await site.open(options)
  const { pass, swarms } = await joinOf(origin)
  const swarm = swarms[0]?.swarm
  const server = createServer()
  origin.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  return async (page, forwardedFor) => {
    const headers = { origin: page, host: new URL(page).host, ...(forwardedFor && { 'x-forwarded-for': forwardedFor }) }
    const socket = new WebSocket(`ws://127.0.0.1:${port}/${manifestFolder}/${trackerFile}`, { headers })
    onTestFinished(() => socket.terminate())
    await once(socket, 'message')
    socket.send(JSON.stringify({ type: 'join', version: 1, swarms: [swarm], pass }))
    socket.send(JSON.stringify({ type: 'seek', swarm, count: 12 }))
    const [reply] = (await once(socket, 'message')) as [Buffer]
    const message = parseFromTracker(reply.toString())
    return message.type === 'peers' ? message.peers.length : Number.NaN
  }
}

test('a tracker without trusted proxies introduces nobody behind one, and tells so once', async () => {
  const visit = await serve({})
  expect(await visit('https://www.example.org', '198.51.100.1')).toBe(0)
  expect(await visit('https://www.example.org', '198.51.100.2')).toBe(0)
  expect(site.log.filter((line) => line.includes('--trust-proxy'))).toHaveLength(1)
})

test('a tracker that trusts the proxy introduces its visitors, and says nothing', async () => {
  const visit = await serve({ trustedProxies: ['127.0.0.1'] })
  site.log.length = 0
  expect(await visit('https://www.example.org', '198.51.100.1')).toBe(0)
  expect(await visit('https://www.example.org', '198.51.100.2')).toBe(1)
  expect(site.log).toEqual([])
})

test('a tracker introduces pages at localhost', async () => {
  const visit = await serve({})
  expect([await visit('http://localhost'), await visit('http://localhost')]).toEqual([0, 1])
})

test('a tracker introduces no pages at localhost where LAN mode is switched off', async () => {
  const visit = await serve({ lan: false })
  expect([await visit('http://localhost'), await visit('http://localhost')]).toEqual([0, 0])
})
