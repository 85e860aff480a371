import { expect, test } from 'vitest'
import { uploadBytesPerSecond } from '../../protocol/limits.ts'
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
    trackerUrl: 'https://site.example/',
    uploadBytesPerSecond,
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
    uploadLimit: 0,
    manual: true,
  }
  expect(resolveOptions(options, page)).toEqual({
    consent: 'granted',
    base: '/shop/',
    serviceWorkerUrl: 'https://site.example/sw.js',
    workerUrl: 'https://site.example/shop/files/w.js',
    trackerUrl: 'https://tracker.example:8443/some/place/',
    uploadBytesPerSecond: 0,
    isManual: true,
  })
})

test.each<[string, object]>([
  ['consent', { consent: 'yes' }],
  ['base', { base: 'shop' }],
  ['base', { base: '/shop/?' }],
  ['manual', { manual: 'true' }],
  ['uploadLimit', { uploadLimit: -1 }],
  ['uploadLimit', { uploadLimit: Number.NaN }],
  ['uploadLimit', { uploadLimit: '5' }],
  ['worker', { worker: 'https://elsewhere.example/w.js' }],
  ['serviceWorker', { serviceWorker: 'https://elsewhere.example/w.js' }],
  ['worker', { worker: 'https://[bad' }],
  ['tracker', { tracker: 'javascript:alert(1)' }],
])('resolveOptions() names the option %s that it refuses: %o', (name, options) => {
  expect(() => resolveOptions(options, page)).toThrow(`Cannot use option ${name}:`)
})

test('optionsOfTag() reads the data attributes', () => {
  expect(fromTag({ consent: 'granted', uploadLimit: ' 250 ', manual: '', tracker: 'https://t.example' })).toMatchObject(
    {
      consent: 'granted',
      uploadBytesPerSecond: 250_000,
      isManual: true,
      trackerUrl: 'https://t.example/',
    },
  )
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

test.each([[{ consent: 'GRANTED' }], [{ uploadLimit: 'much' }], [{ uploadLimit: '' }]])(
  'optionsOfTag() lets a wrong attribute be refused: %o',
  (attributes) => {
    expect(() => fromTag(attributes)).toThrow('Cannot use option')
  },
)
