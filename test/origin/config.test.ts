import { expect, test } from 'vitest'
import type { OriginOptions } from '../../origin/config.ts'
import { resolveConfig } from '../../origin/config.ts'

test('resolveConfig() gives every option its default', () => {
  expect(resolveConfig({ folder: '/srv/site', state: '/srv/state' })).toMatchObject({
    folder: '/srv/site',
    keys: '/srv/state/keys',
    base: '/',
    consent: undefined,
    lan: undefined,
    freshSeconds: 120,
    cacheSeconds: 0,
    stun: { port: 3478, host: undefined },
    storeLimitBytes: 200 * 1024 * 1024,
    keepContentBytes: 2 * 1024 * 1024 * 1024,
  })
})

const wrong: Partial<OriginOptions>[] = [
  { base: 'docs' },
  { base: '/docs' },
  { base: '//' },
  { base: '/a*/' },
  { base: '/a b/' },
  { base: '/ü/' },
  { sections: ['live/'] },
  { sections: ['/live'] },
  { sections: ['/a/../b/'] },
  { patterns: ['*.jpg'] },
  { freshSeconds: 0 },
  { freshSeconds: 1.5 },
  { cacheSeconds: -1 },
  { storeLimitBytes: Number.NaN },
  { allowedOrigins: ['www.example.org'] },
  { allowedOrigins: ['https://www.example.org/path'] },
  { allowedOrigins: ['*'] },
  { trustedProxies: ['proxy.example.org'] },
  { iceServers: [{ urls: ['http://example.org'] }] },
  { iceServers: [{ urls: [] }] },
  { relay: true, iceServers: [{ urls: ['stun:example.org'] }] },
  { scriptNames: { tag: '../x.js' } },
  { scriptNames: { tag: 'nearhand-sw.js' } },
  { scriptNames: { worker: 'worker' } },
]

test.each(wrong)('resolveConfig() refuses %o', (options) => {
  expect(() => resolveConfig({ folder: 'x', ...options })).toThrow(/^Cannot /)
})
