import { expect, test } from 'vitest'
import { OpenSwarms } from '../../origin/join.ts'
import { keyPairOfSeed } from '../../origin/key-file.ts'
import type { JoinOptions } from '../../origin/mint-join.ts'
import { mintJoin } from '../../origin/mint-join.ts'
import { openPass } from '../../protocol/pass.ts'
import { passNow, passSite, trustOf } from '../protocol/passes.ts'

const fingerprint = '0b'.repeat(32)
const swarmSecret = new Uint8Array(32).fill(9)
const { signer } = await keyPairOfSeed(new Uint8Array(32).fill(4))
const options: JoinOptions = {
  key: signer.key,
  site: passSite,
  swarmSecret,
  fingerprint,
  sections: ['/live/'],
  issuer: 'https://www.example.org/',
  now: passNow,
}

test('mintJoin() gives a pass, and the swarms of its sections as the tracker knows them', async () => {
  const { pass, swarms, ...rest } = await mintJoin(options)
  expect(await openPass(pass, trustOf(), fingerprint, passNow)).toMatchObject({ sections: ['/live/'] })
  const open = new OpenSwarms(() => swarmSecret)
  expect(swarms.map(({ swarm }) => open.sectionOf(swarm, ['/', '/live/'], passNow))).toEqual(['/live/'])
  expect(rest).toEqual({ iceServers: [], lan: false, renewSeconds: 480 })
})

test('mintJoin() has a page ask again before a short pass ends', async () => {
  expect(await mintJoin({ ...options, seconds: 60 })).toMatchObject({ renewSeconds: 48 })
  expect(await mintJoin({ ...options, seconds: 1 })).toMatchObject({ renewSeconds: 1 })
})

test.each<[string, Partial<JoinOptions>]>([
  ['half a secret', { swarmSecret: swarmSecret.subarray(16) }],
  ['a TURN server without a password', { iceServers: [{ urls: ['turn:a.example'] }] }],
  ['no section', { sections: [] }],
])('mintJoin() refuses %s', async (_, wrong) => {
  await expect(mintJoin({ ...options, ...wrong })).rejects.toThrow('Cannot mint')
})
