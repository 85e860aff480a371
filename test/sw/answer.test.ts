import { describe, expect, test } from 'vitest'
import type { UrlRules } from '../../protocol/url-rules.ts'
import { compileUrls } from '../../protocol/url-rules.ts'
import { compilePatterns } from '../../protocol/patterns.ts'
import type { RequestView } from '../../sw/answer.ts'
import { pathToAnswer } from '../../sw/answer.ts'

const place = { origin: 'https://site.test', base: '/shop/' }
const urls: UrlRules = {
  ignoredQuery: [{ paths: '/media/**', names: ['token', 'sig'] }],
  hosts: [{ host: 'https://media.test', from: '/there/', to: '/media/' }],
}
const rules = {
  ...place,
  pathOf: compileUrls(urls, place),
  isNamed: compilePatterns(['/**.jpg', '/**.js', '/media/**', '!/media/private/**', '/.well-known/**']),
  ownFiles: new Set(['/nearhand.js']),
}

function request(url: string, fields: Partial<Omit<RequestView, 'headers'>> = {}, headers = {}): RequestView {
  const view = {
    method: 'GET',
    url,
    mode: 'no-cors',
    credentials: 'same-origin',
    destination: 'image',
    cache: 'default',
    ...fields,
  }
  return { ...view, headers: new Headers(headers) }
}

describe('pathToAnswer()', () => {
  test.each([
    ['https://site.test/shop/a.jpg', '/a.jpg'],
    ['https://site.test/shop/a.jpg#top', '/a.jpg'],
    ['https://site.test/shop/media/b/c', '/media/b/c'],
    ['https://site.test/shop/%61.jpg', '/a.jpg'],
    ['https://site.test/shop/a.jpg?v=1', undefined],
    ['https://site.test/shop/a.jpg?token=1', undefined],
    ['https://site.test/shop/media/b?token=1&sig=2#top', '/media/b'],
    ['https://site.test/shop/media/private/a?token=1', undefined],
    ['https://media.test/there/b.mp4?token=1', '/media/b.mp4'],
    ['https://media.test/there/private/b.mp4', undefined],
    ['https://media.test/b.mp4', undefined],
    ['https://site.test/shop/a.png', undefined],
    ['https://site.test/shop/media/private/a', undefined],
    ['https://site.test/shop/nearhand.js', undefined],
    ['https://site.test/shop/.well-known/nearhand/fresh.json', undefined],
    ['https://site.test/shop//a.jpg', undefined],
    ['https://site.test/shop/..%2fa.jpg', undefined],
    ['https://site.test/shop/%ff.jpg', undefined],
    ['https://site.test/a.jpg', undefined],
    ['https://site.test/shopping/a.jpg', undefined],
    ['https://site.test:444/shop/a.jpg', undefined],
    ['http://site.test/shop/a.jpg', undefined],
    ['https://cdn.test/shop/a.jpg', undefined],
    ['data:image/gif,a.jpg', undefined],
  ])('makes of %s the path %s', (url, path) => {
    expect(pathToAnswer(request(url), rules)).toBe(path)
  })

  test.each<[string, RequestView]>([
    ['a POST', request('https://site.test/shop/a.jpg', { method: 'POST' })],
    ['a HEAD', request('https://site.test/shop/a.jpg', { method: 'HEAD' })],
    ['a navigation', request('https://site.test/shop/a.jpg', { mode: 'navigate' })],
    ...['document', 'iframe', 'frame', 'embed', 'object', 'worker', 'sharedworker', 'serviceworker'].map(
      (destination): [string, RequestView] => [
        `destination ${destination}`,
        request('https://site.test/shop/a.js', { destination }),
      ],
    ),
    ...['no-store', 'reload', 'no-cache', 'only-if-cached'].map((cache): [string, RequestView] => [
      `cache mode ${cache}`,
      request('https://site.test/shop/a.jpg', { cache }),
    ]),
    ...['Authorization', 'If-Match', 'If-Unmodified-Since'].map((name): [string, RequestView] => [
      `the header ${name}`,
      request('https://site.test/shop/a.jpg', {}, { [name]: 'x' }),
    ]),
  ])('leaves %s alone', (_name, view) => {
    expect(pathToAnswer(view, rules)).toBeUndefined()
  })

  test.each<[string, Partial<Omit<RequestView, 'headers'>>, string | undefined]>([
    ['cors without credentials', { mode: 'cors', credentials: 'omit' }, '/media/b.mp4'],
    ['cors with credentials for the own host alone', { mode: 'cors', credentials: 'same-origin' }, '/media/b.mp4'],
    ['no-cors without credentials', { mode: 'no-cors', credentials: 'omit' }, '/media/b.mp4'],
    ['cors with credentials', { mode: 'cors', credentials: 'include' }, undefined],
    ['an element without crossorigin', { mode: 'no-cors', credentials: 'include' }, undefined],
    ['another mode', { mode: 'websocket', credentials: 'omit' }, undefined],
  ])('of another host: %s', (_name, fields, path) => {
    expect(pathToAnswer(request('https://media.test/there/b.mp4', fields), rules)).toBe(path)
  })

  test.each(['', 'image', 'video', 'script', 'style', 'font'])('answers destination %j', (destination) => {
    expect(pathToAnswer(request('https://site.test/shop/a.jpg', { destination }), rules)).toBe('/a.jpg')
  })
})
