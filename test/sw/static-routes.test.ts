import { expect, test } from 'vitest'
import type { WorkerConfig } from '../../protocol/worker-config.ts'
import { planStaticRoutes } from '../../sw/static-routes.ts'

const config: WorkerConfig = {
  version: 1,
  root: '',
  patterns: ['/**.png', '/app(1)/*.js', '!/images/private/**'],
  base: '/shop/',
  offlinePages: false,
  pinsPages: false,
  storeLimitBytes: 1,
}
const url = 'https://site.example:8443/shop/nearhand-sw.js'
const place = { hostname: 'site.example', port: '8443' }

test('planStaticRoutes() leaves to the network what no pattern can name, and no navigation', () => {
  const or = [
    { requestMode: 'navigate' },
    { urlPattern: { ...place, pathname: '/shop/*.png' } },
    { urlPattern: { ...place, pathname: String.raw`/shop/app\(1\)/*.js` } },
  ]
  expect(planStaticRoutes(config, url)).toEqual([{ condition: { not: { or } }, source: 'network' }])
})

test('planStaticRoutes() routes nothing where the site has rules for URLs, or a worker of its own', () => {
  const urls = { ignoredQueries: [], hosts: [] } as unknown as WorkerConfig['urls']
  expect(planStaticRoutes({ ...config, urls }, url)).toEqual([])
  expect(planStaticRoutes(config, 'https://site.example:8443/shop/their-sw.js')).toEqual([])
})
