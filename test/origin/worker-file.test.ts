import { describe, expect, test } from 'vitest'
import { defaultPatterns } from '../../origin/default-patterns.ts'
import { composeWorker } from '../../origin/worker-file.ts'
import { compilePatterns } from '../../protocol/patterns.ts'
import { parseWorkerConfig } from '../../protocol/worker-config.ts'

describe('composeWorker()', () => {
  test('puts a configuration before the script that the worker reads back', () => {
    const file = composeWorker({ rootEnvelope: '{"</script>\u2028"}', base: '/sub/' }, 'run()')
    const [first, script] = file.split('\n')
    const config = parseWorkerConfig(JSON.parse(/^self\.nearhandConfig=(.*);$/.exec(first ?? '')?.[1] ?? ''))
    expect(config).toMatchObject({ root: '{"</script>\u2028"}', base: '/sub/', offlinePages: false })
    expect(config.patterns).toEqual(defaultPatterns)
    expect(script).toBe('run()')
    expect(first).not.toContain('</script>')
  })

  test.each([
    ['a pattern that is none', { patterns: ['img/*'] }],
    ['a base without slashes', { base: 'sub' }],
    ['a negative limit', { storeLimitBytes: -1 }],
  ])('refuses %s', (_, options) => {
    expect(() => composeWorker({ rootEnvelope: '{}', ...options }, '')).toThrow('Cannot')
  })
})

describe('defaultPatterns', () => {
  const isOurs = compilePatterns(defaultPatterns)

  test.each(['/a.js', '/deep/er/b.woff2', '/v/seg-1.m4s', '/v/seg.ts', '/x.wasm', '/i.avif', '/d.pdf'])(
    'name %s',
    (path) => expect(isOurs(path)).toBe(true),
  )

  test.each(['/', '/index.html', '/a.htm', '/live.m3u8', '/live.mpd', '/api/users', '/robots.txt', '/a.js/'])(
    'leave %s alone',
    (path) => expect(isOurs(path)).toBe(false),
  )
})
