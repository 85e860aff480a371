import { once } from 'node:events'
import { connect } from 'node:net'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { SiteFixture } from './site-fixture.ts'
import { makeSite } from './site-fixture.ts'

let site: SiteFixture
let server: ReturnType<typeof serve>
let address = ''

beforeEach(async () => {
  site = await makeSite({ 'index.html': '<!doctype html><p>Home' })
  const origin = await site.open()
  const app = new Hono().route('/', origin.app)
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false })
  origin.attach(server)
  if (!server.listening) await once(server, 'listening')
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})

afterEach(async () => {
  await site.close()
  server.close()
})

test('createOrigin() in an app of its own server has the tracker there', async () => {
  const socket = new WebSocket(`ws://${address}/.well-known/nearhand/tracker`, { origin: `http://${address}` })
  const [welcome] = (await once(socket, 'message')) as [Buffer]
  expect(welcome.toString()).toContain('welcome')
  socket.terminate()
})

test('createOrigin() in an app of its own server lets no other upgrade hang', async () => {
  const other = new WebSocket(`ws://${address}/other`)
  const [error] = (await once(other, 'error')) as [Error]
  expect(error.message).toContain('404')
  const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n')
  const chunks: Buffer[] = await socket.toArray()
  expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 200 .*Home$/s)
})
