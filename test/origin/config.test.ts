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
  { guarded: ['/members'] },
  { ignoredQuery: [{ names: [] }] },
  { ignoredQuery: [{ names: ['a b'] }] },
  { ignoredQuery: [{ paths: 'film/', names: ['token'] }] },
  { hosts: [{ host: 'media.example.com' }] },
  { hosts: [{ host: 'http://media.example.com' }] },
  { hosts: [{ host: 'https://media.example.com', from: '/a' }] },
  { hosts: Array.from({ length: 17 }, () => ({ host: 'https://media.example.com' })) },
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

test('resolveConfig() makes sections of what is guarded, and whole rules of short ones', () => {
  const { sections, guarded, urls } = resolveConfig({
    folder: 'x',
    sections: ['/live/'],
    guarded: ['/staff/', '/members/', '/staff/'],
    ignoredQuery: [{ names: ['token'] }],
    hosts: [{ host: 'https://media.example.com' }],
  })
  expect(sections).toEqual(['/live/', '/staff/', '/members/'])
  expect(guarded).toEqual(['/members/', '/staff/'])
  expect(urls).toEqual({
    ignoredQuery: [{ paths: '/**', names: ['token'] }],
    hosts: [{ host: 'https://media.example.com', from: '/', to: '/' }],
  })
})
