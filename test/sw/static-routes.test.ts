import { expect, test } from 'vitest'
import type { WorkerConfig } from '../../protocol/worker-config.ts'
import { planStaticRoutes } from '../../sw/static-routes.ts'

const config: WorkerConfig = {
  version: 1,
  root: '',
  patterns: ['/images/**', '/app(1)/*.js', '!/images/private/**'],
  base: '/shop/',
  offlinePages: false,
  pinsPages: false,
  storeLimitBytes: 1,
}
const url = 'https://site.example:8443/shop/nearhand-sw.js'
const place = { protocol: 'https', hostname: 'site.example', port: '8443' }

test('planStaticRoutes() leaves to the network what no pattern can name, and no navigation', () => {
  const [, others] = planStaticRoutes(config, url)
  expect(others).toEqual({
    source: 'network',
    condition: {
      not: {
        or: [
          { requestMode: 'navigate' },
          { urlPattern: { ...place, pathname: '/shop/images/*' } },
          { urlPattern: { ...place, pathname: String.raw`/shop/app\(1\)/*` } },
        ],
      },
    },
  })
})

test('planStaticRoutes() leaves to the network what is never ours: other methods, and our own files', () => {
  const [never] = planStaticRoutes(config, url)
  const or = never && 'or' in never.condition ? never.condition.or : []
  expect(or).toContainEqual({ requestMethod: 'POST', requestMode: 'cors' })
  const pathname = '/shop/.well-known/nearhand/*'
  expect(or).toContainEqual({ requestMode: 'cors', urlPattern: { ...place, pathname } })
  expect(JSON.stringify(or)).not.toContain('navigate')
})

test('planStaticRoutes() routes no URL where any path may be ours', () => {
  expect(planStaticRoutes({ ...config, patterns: ['/**'] }, url)).toHaveLength(1)
  expect(planStaticRoutes({ ...config, urls: {} as WorkerConfig['urls'] }, url)).toHaveLength(1)
})

test('planStaticRoutes() routes nothing for a worker of the site’s own', () => {
  expect(planStaticRoutes(config, 'https://site.example:8443/shop/their-sw.js')).toEqual([])
})
