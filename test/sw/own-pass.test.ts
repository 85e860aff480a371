import { expect, test } from 'vitest'
import { OwnPass } from '../../sw/own-pass.ts'
import { claimsOf, passFor, passNow, tokenOf, trustOf } from '../protocol/passes.ts'
import { testKey } from '../protocol/signers.ts'

const fingerprint = 'ab'.repeat(32)
const members = { scp: ['/', '/members/'] }

test('OwnPass covers the sections of the newest pass, for as long as it holds', async () => {
  let now = passNow
  const pass = new OwnPass(() => now)
  pass.follow(trustOf())
  expect(await pass.covers('/members/')).toBe(false)
  pass.take(passFor(fingerprint, members))
  expect(await pass.covers('/members/')).toBe(true)
  expect(await pass.covers('/staff/')).toBe(false)
  now += 599
  expect(await pass.covers('/members/')).toBe(true)
  now += 1
  expect(await pass.covers('/members/'), 'it has ended').toBe(false)
})

test('OwnPass forgets what a pass opened when another follows', async () => {
  const pass = new OwnPass(() => passNow)
  pass.follow(trustOf())
  pass.take(passFor(fingerprint, members))
  expect(await pass.covers('/members/')).toBe(true)
  pass.take(passFor(fingerprint))
  expect(await pass.covers('/members/')).toBe(false)
})

test('OwnPass covers nothing before it knows whose passes count, and by no key that was given up', async () => {
  const pass = new OwnPass(() => passNow)
  pass.take(passFor(fingerprint, members))
  expect(await pass.covers('/members/')).toBe(false)
  pass.follow(trustOf())
  expect(await pass.covers('/members/')).toBe(true)
  pass.follow(trustOf([await testKey(9)]))
  expect(await pass.covers('/members/')).toBe(false)
})

test.each([
  ['of another site', passFor(fingerprint, { ...members, aud: 'f'.repeat(32) })],
  ['of another key', await tokenOf(claimsOf(fingerprint, members), await testKey(9))],
  ['of an hour', passFor(fingerprint, { ...members, exp: passNow + 3600 })],
  ['that expired', passFor(fingerprint, { ...members, iat: passNow - 2000, exp: passNow - 1400 })],
  ['of garbage', 'a.b.c'],
])('OwnPass covers nothing by a pass %s', async (_, token) => {
  const pass = new OwnPass(() => passNow)
  pass.follow(trustOf())
  pass.take(token)
  expect(await pass.covers('/members/')).toBe(false)
})
