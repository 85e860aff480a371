import { expect, test } from 'vitest'
import { contentTypeOf } from '../../origin/content-types.ts'

test.each([
  ['/index.html', 'text/html; charset=utf-8'],
  ['/a.js', 'text/javascript; charset=utf-8'],
  ['/a.min.mjs', 'text/javascript; charset=utf-8'],
  ['/a.wasm', 'application/wasm'],
  ['/a.woff2', 'font/woff2'],
  ['/live/a.m3u8', 'application/vnd.apple.mpegurl'],
  ['/live/a.ts', 'video/mp2t'],
  ['/live/a.m4s', 'video/iso.segment'],
  ['/a.mpd', 'application/dash+xml'],
  ['/A.PNG', 'image/png'],
  ['/a.svg', 'image/svg+xml; charset=utf-8'],
  ['/a.js.map', 'application/json; charset=utf-8'],
  ['/a.unknown', 'application/octet-stream'],
  ['/LICENSE', 'application/octet-stream'],
  ['/folder.js/file', 'application/octet-stream'],
  ['/a.', 'application/octet-stream'],
  ['/a.js%20css', 'application/octet-stream'],
])('contentTypeOf() gives %s the type %s', (name, type) => {
  expect(contentTypeOf(name)).toBe(type)
})

test.each([
  ['/index.html', 'text/html'],
  ['/a.js', 'text/javascript'],
  ['/feed.rss', 'application/rss+xml'],
  ['/a.png', 'image/png'],
  ['/LICENSE', 'application/octet-stream'],
])('contentTypeOf() names no charset where %s is not UTF-8', (name, type) => {
  expect(contentTypeOf(name, false)).toBe(type)
})
