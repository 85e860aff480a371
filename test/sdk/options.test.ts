import { expect, test } from 'vitest'
import { uploadBytesPerDay, uploadBytesPerSecond } from '../../protocol/limits.ts'
import type { NearhandOptions } from '../../sdk/options.ts'
import { optionsOfTag, resolveOptions } from '../../sdk/options.ts'

const page = 'https://site.example/shop/page.html?x=1#y'
const fromTag = (attributes: Record<string, string>, source = 'https://site.example/nearhand.js') =>
  resolveOptions(optionsOfTag(attributes, source, page), page)

test('resolveOptions() fills in every default', () => {
  expect(resolveOptions({}, page)).toEqual({
    consent: 'ask',
    base: '/',
    serviceWorkerUrl: 'https://site.example/nearhand-sw.js',
    workerUrl: 'https://site.example/nearhand-worker.js',
    promptUrl: 'https://site.example/nearhand-consent.js',
    peersUrl: 'https://site.example/nearhand-peers.js',
    trackerUrl: 'https://site.example/',
    joinUrl: undefined,
    joinCredentials: 'same-origin',
    uploadBytesPerSecond,
    uploadBytesPerDay,
    isRelayOnly: false,
    isPersistent: false,
    prefetch: 'peers',
    texts: {},
    isManual: false,
  })
})

test('resolveOptions() takes every option', () => {
  const options: NearhandOptions = {
    consent: 'granted',
    base: '/shop/',
    serviceWorker: '/sw.js',
    worker: 'files/w.js',
    tracker: 'https://tracker.example:8443/some/place?secret#part',
    join: 'api/join?who=7',
    prompt: 'prompt.js',
    joinCredentials: 'omit',
    peers: '/peers.js?2',
    uploadLimit: 0,
    dayLimit: 2.5,
    relay: true,
    persist: true,
    prefetch: 'origin',
    texts: { yes: 'Oui' },
    manual: true,
  }
  expect(resolveOptions(options, page)).toEqual({
    consent: 'granted',
    base: '/shop/',
    serviceWorkerUrl: 'https://site.example/sw.js',
    workerUrl: 'https://site.example/shop/files/w.js',
    promptUrl: 'https://site.example/shop/prompt.js',
    peersUrl: 'https://site.example/peers.js?2',
    trackerUrl: 'https://tracker.example:8443/some/place/',
    joinUrl: 'https://site.example/shop/api/join?who=7',
    joinCredentials: 'omit',
    uploadBytesPerSecond: 0,
    uploadBytesPerDay: 2_500_000,
    isRelayOnly: true,
    isPersistent: true,
    prefetch: 'origin',
    texts: { yes: 'Oui' },
    isManual: true,
  })
})

test.each<[string, object]>([
  ['consent', { consent: 'yes' }],
  ['base', { base: 'shop' }],
  ['base', { base: '/shop/?' }],
  ['manual', { manual: 'true' }],
  ['prefetch', { prefetch: 'all' }],
  ['relay', { relay: 'true' }],
  ['dayLimit', { dayLimit: -1 }],
  ['prompt', { prompt: 'https://elsewhere.example/p.js' }],
  ['peers', { peers: 'https://elsewhere.example/p.js' }],
  ['uploadLimit', { uploadLimit: -1 }],
  ['uploadLimit', { uploadLimit: Number.NaN }],
  ['uploadLimit', { uploadLimit: '5' }],
  ['worker', { worker: 'https://elsewhere.example/w.js' }],
  ['serviceWorker', { serviceWorker: 'https://elsewhere.example/w.js' }],
  ['worker', { worker: 'https://[bad' }],
  ['tracker', { tracker: 'javascript:alert(1)' }],
  ['join', { join: 'data:,{}' }],
  ['join', { join: 'http://login.example/join' }],
  ['join', { join: 'javascript:alert(1)' }],
  ['joinCredentials', { joinCredentials: 'always' }],
])('resolveOptions() names the option %s that it refuses: %o', (name, options) => {
  expect(() => resolveOptions(options, page)).toThrow(`Cannot use option ${name}:`)
})

test('optionsOfTag() reads the data attributes', () => {
  expect(
    fromTag({ consent: 'granted', uploadLimit: ' 250 ', manual: '', tracker: 'https://t.example', join: '/j' }),
  ).toMatchObject({
    consent: 'granted',
    uploadBytesPerSecond: 250_000,
    isManual: true,
    trackerUrl: 'https://t.example/',
    joinUrl: 'https://site.example/j',
  })
})

test('optionsOfTag() reads where to join', () => {
  expect(fromTag({ join: 'https://login.example/join', joinCredentials: 'include' })).toMatchObject({
    joinUrl: 'https://login.example/join',
    joinCredentials: 'include',
  })
})

test('optionsOfTag() reads the prompt’s texts and the privacy options', () => {
  const settings = fromTag({
    consent: 'off',
    question: 'Teilen?',
    policyUrl: '/datenschutz',
    relay: '',
    persist: 'false',
    prefetch: 'off',
    dayLimit: '10',
  })
  expect(settings.texts).toMatchObject({ question: 'Teilen?', policyUrl: '/datenschutz' })
  expect(settings).toMatchObject({
    consent: 'off',
    isRelayOnly: true,
    isPersistent: false,
    prefetch: 'off',
    uploadBytesPerDay: 10_000_000,
  })
})

test('optionsOfTag() takes the script’s own folder as the base, unless it comes from elsewhere', () => {
  expect(fromTag({}, 'https://site.example/shop/nearhand.js').base).toBe('/shop/')
  expect(fromTag({}, 'https://cdn.example/libs/nearhand.js').base).toBe('/')
  expect(fromTag({ base: '/a/' }, 'https://site.example/shop/nearhand.js').base).toBe('/a/')
  expect(fromTag({ scope: '/b/' }).base).toBe('/b/')
})

test.each([
  ['', true],
  ['true', true],
  ['false', false],
  ['FALSE', false],
])('optionsOfTag() takes data-manual=%j as %s', (manual, isManual) => {
  expect(fromTag({ manual }).isManual).toBe(isManual)
})

test.each([[{ consent: 'GRANTED' }], [{ uploadLimit: 'much' }], [{ uploadLimit: '' }], [{ dayLimit: 'all' }]])(
  'optionsOfTag() lets a wrong attribute be refused: %o',
  (attributes) => {
    expect(() => fromTag(attributes)).toThrow('Cannot use option')
  },
)
