import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostRuleLimit, pathLimit, queryNameLimit, queryNamesPerRule, queryRuleLimit } from '../../protocol/limits.ts'
import { canonicalPath } from '../../protocol/paths.ts'
import type { SitePlace, UrlRules } from '../../protocol/url-rules.ts'
import { compileUrls, parseUrlRules } from '../../protocol/url-rules.ts'
import { readVector } from './read-vector.ts'
import { refusalOf } from './refusal.ts'

interface Vector {
  readonly rules: UrlRules
  readonly site: SitePlace
  readonly urls: Readonly<Record<string, string | null>>
  readonly refused: unknown[]
}

const vector = readVector<Vector>('url-rules')

describe('parseUrlRules()', () => {
  test('reads the rules of the vector', () => {
    expect(parseUrlRules(vector.rules)).toEqual(vector.rules)
  })

  test.each(vector.refused.map((value) => ({ value })))('refuses $value', ({ value }) => {
    expect(refusalOf(() => parseUrlRules(value))).toBe('malformed')
  })

  const rule = { paths: '/**', names: ['a'] }
  const host = { host: 'https://media.test', from: '/', to: '/' }
  test.each<[string, unknown]>([
    ['query rules', { ignoredQuery: Array.from({ length: queryRuleLimit + 1 }, () => rule), hosts: [] }],
    ['hosts', { ignoredQuery: [], hosts: Array.from({ length: hostRuleLimit + 1 }, () => host) }],
    [
      'names',
      { ignoredQuery: [{ ...rule, names: Array.from({ length: queryNamesPerRule + 1 }, () => 'a') }], hosts: [] },
    ],
    ['characters of a name', { ignoredQuery: [{ ...rule, names: ['a'.repeat(queryNameLimit + 1)] }], hosts: [] }],
  ])('refuses too many %s', (_, value) => {
    expect(refusalOf(() => parseUrlRules(value))).toBe('malformed')
  })
})

describe('compileUrls()', () => {
  const pathOf = compileUrls(vector.rules, vector.site)

  test.each(Object.entries(vector.urls))('makes of %s the path %s', (url, path) => {
    expect(pathOf(url) ?? null).toBe(path)
  })

  test('without rules names the own host without a query alone', () => {
    const ownPathOf = compileUrls(undefined, vector.site)
    expect(ownPathOf('https://site.test/shop/film/a.mp4')).toBe('/film/a.mp4')
    expect(ownPathOf('https://site.test/shop/film/a.mp4?token=1')).toBeUndefined()
    expect(ownPathOf('https://media.test/there/a.mp4')).toBeUndefined()
  })

  test('names no path that becomes too long on the way', () => {
    const far = compileUrls(
      { ignoredQuery: [], hosts: [{ host: 'https://media.test', from: '/', to: `/${'b'.repeat(200)}/` }] },
      vector.site,
    )
    expect(far(`https://media.test/${'a'.repeat(pathLimit - 250)}`)).toBeDefined()
    expect(far(`https://media.test/${'a'.repeat(pathLimit - 150)}`)).toBeUndefined()
  })

  test('gives a canonical path or nothing, and ignores no parameter that is not listed', () => {
    const part = fc.oneof(
      fc.constantFrom('token', 'token=1', 'sig=a=b', 'Token=1', '%74oken=1', 'v=1', '', 'token;v=1', '&', '?', '+'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(part), fc.webPath(), (parts, path) => {
        const url = `https://media.test/there${path}?${parts.join('&')}`
        const named = pathOf(url)
        if (named === undefined) return
        expect(canonicalPath(named)).toBe(named)
        const names = [...new URL(url).searchParams.keys()]
        expect(new Set(names).size).toBe(names.length)
        expect(names.filter((name) => !['token', 'sig', 'Expires'].includes(name))).toEqual([])
      }),
    )
  })
})
