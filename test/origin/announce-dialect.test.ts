import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { AnnounceTracker } from '../../origin/announce.ts'
import { createAnnounceDialect } from '../../origin/announce-dialect.ts'
import { createPassCheck } from '../../origin/check-pass.ts'
import { trustedProxyList } from '../../origin/client-address.ts'
import { Locality } from '../../origin/locality.ts'
import { TrackerSocket } from '../../origin/tracker-socket.ts'
import { buildSdp } from '../../protocol/session-description.ts'
import { claimsOf, passNow, tokenOf, trustOf } from '../protocol/passes.ts'

const fingerprint = 'ab'.repeat(32)
const hash = 'h'.repeat(20)

async function start(asksForPass: boolean): Promise<(query?: string, headers?: Record<string, string>) => WebSocket> {
  const tracker = new AnnounceTracker({ lan: true, now: Date.now, random: Math.random })
  const checkPass = asksForPass ? createPassCheck(trustOf()) : undefined
  const locality = new Locality()
  const socket = new TrackerSocket([createAnnounceDialect(tracker, { base: '/', checkPass, now: () => passNow })], {
    isAllowedOrigin: (origin) => origin === 'https://site.example',
    isLocalPage: () => false,
    placeOf: (address) => locality.placeOf(address),
    proxies: trustedProxyList([]),
    now: Date.now,
    log: () => {},
  })
  const server = createServer()
  socket.attach(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    await socket.close()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return (query = '', headers = {}) => new WebSocket(`ws://127.0.0.1:${port}/announce${query}`, { headers })
}

const announce = (peer: string, fields: object = {}): string =>
  JSON.stringify({ action: 'announce', info_hash: hash, peer_id: peer.padEnd(20, '-'), numwant: 1, ...fields })

async function told(client: WebSocket): Promise<Record<string, unknown>> {
  const [payload] = (await once(client, 'message')) as [Buffer]
  return JSON.parse(payload.toString()) as Record<string, unknown>
}

function offersOf(sdpFingerprint: string): object {
  const sdp = buildSdp({ iceUfrag: 'abcd', icePwd: 'a'.repeat(22), fingerprint: sdpFingerprint, setup: 'actpass' })
  return { offers: [{ offer_id: 'o'.repeat(20), offer: { type: 'offer', sdp } }] }
}

test('clients of the WebTorrent protocol meet over real sockets, with or without an Origin', async () => {
  const connect = await start(false)
  const [ann, bob] = [connect(), connect('', { origin: 'https://site.example' })]
  await Promise.all([once(ann, 'open'), once(bob, 'open')])
  ann.send(announce('ann'))
  expect(await told(ann)).toMatchObject({ action: 'announce', complete: 0, incomplete: 1 })
  bob.send(announce('bob', offersOf(fingerprint)))
  expect(await told(ann)).toMatchObject({ peer_id: 'bob'.padEnd(20, '-'), offer: { type: 'offer' } })
})

test('a foreign Origin is refused', async () => {
  const connect = await start(false)
  const client = connect('', { origin: 'https://other.example' })
  const [error] = (await once(client, 'error')) as [Error]
  expect(error.message).toContain('403')
})

test('where passes are asked for, a socket without a good one ends', async () => {
  const connect = await start(true)
  const expired = await tokenOf({ ...claimsOf(fingerprint), iat: passNow - 5000, exp: passNow - 4500 })
  for (const query of ['', '?pass=', '?pass=x.y.z', `?pass=${expired}`]) {
    const client = connect(query)
    const [code] = (await once(client, 'close')) as [number]
    expect(code, query).toBe(1008)
  }
})

test('where passes are asked for, offers pass that are by the certificate of the pass', async () => {
  const connect = await start(true)
  const pass = await tokenOf(claimsOf(fingerprint))
  const [ann, bob] = [connect(`?pass=${pass}`), connect(`?pass=${pass}`)]
  await Promise.all([once(ann, 'open'), once(bob, 'open')])
  ann.send(announce('ann'))
  await told(ann)
  bob.send(announce('bob', offersOf('cd'.repeat(32))))
  await told(bob)
  bob.send(announce('bob', offersOf(fingerprint)))
  // The first offer would have come before.
  expect(JSON.stringify(await told(ann))).toContain('AB:AB:AB')
})
