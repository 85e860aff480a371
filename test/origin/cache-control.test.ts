import { expect, test } from 'vitest'
import { cacheControlOf } from '../../origin/cache-control.ts'

test.each([
  '/app-3f2a9c1b.js',
  '/a/main.3f2a9c1b77.css',
  '/index-C7dZzHPk.js',
  '/font-a1B2c3D4e5.woff2',
  '/x-3f2a9c1b.js.map',
])('cacheControlOf() takes %s for a name with a hash', (path) => {
  expect(cacheControlOf(path, 'text/javascript', 0)).toBe('public, max-age=31536000, immutable')
})

test.each([
  '/hero-background.jpg',
  '/photo-20240102.jpg',
  '/video-1080p60fps.mp4',
  '/my-deadbeef.png',
  '/Report-Conclusions.pdf',
  '/jquery-3.7.1.js',
  '/3f2a9c1b.js',
  '/app.js',
])('cacheControlOf() does not freeze %s', (path) => {
  expect(cacheControlOf(path, 'image/jpeg', 0)).toBe('no-cache')
})

test('cacheControlOf() gives the configured age to assets, never to pages', () => {
  expect(cacheControlOf('/a.jpg', 'image/jpeg', 60)).toBe('public, max-age=60')
  expect(cacheControlOf('/index-C7dZzHPk.html', 'text/html; charset=utf-8', 60)).toBe('no-cache')
})
