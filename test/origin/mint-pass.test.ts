import { describe, expect, test } from 'vitest'
import { createPassCheck } from '../../origin/check-pass.ts'
import { keyPairOfSeed } from '../../origin/key-file.ts'
import type { PassOptions } from '../../origin/mint-pass.ts'
import { mintPass } from '../../origin/mint-pass.ts'
import { openPass } from '../../protocol/pass.ts'
import { passNow, trustOf, passSite } from '../protocol/passes.ts'

const fingerprint = '0b'.repeat(32)
// The key that the root of the tests names for passes.
const { pem, signer } = await keyPairOfSeed(new Uint8Array(32).fill(4))
const options: PassOptions = {
  key: pem,
  site: passSite,
  fingerprint,
  sections: ['/', '/live/'],
  issuer: 'https://www.example.org/',
  now: passNow + 0.7,
}

describe('mintPass()', () => {
  test.each([pem, signer.key])('gives what peers and tracker take', async (key) => {
    const pass = await mintPass({ ...options, key })
    const claims = {
      site: passSite,
      issued: passNow,
      expires: passNow + 600,
      sections: ['/', '/live/'],
      fingerprint,
    }
    expect(await openPass(pass, trustOf(), fingerprint, passNow)).toEqual(claims)
    expect(createPassCheck(trustOf())(pass, passNow)).toEqual(claims)
  })

  test('never gives the same twice', async () => {
    expect(await mintPass(options)).not.toBe(await mintPass(options))
  })

  test.each<[string, Partial<PassOptions>, typeof TypeError]>([
    ['a longer life', { seconds: 601 }, RangeError],
    ['no life', { seconds: 0 }, RangeError],
    ['a fingerprint with colons', { fingerprint: 'AB:CD' }, TypeError],
    ['no section', { sections: [] }, TypeError],
    ['another site id', { site: 'example.org' }, TypeError],
    ['no issuer', { issuer: '' }, TypeError],
    ['too many long sections', { sections: Array.from({ length: 16 }, () => `/${'x'.repeat(1000)}/`) }, TypeError],
  ])('refuses %s', async (_, wrong, error) => {
    await expect(mintPass({ ...options, ...wrong })).rejects.toThrow(error)
  })
})
