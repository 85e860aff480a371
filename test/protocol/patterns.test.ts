import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patternLength, patternLimit } from '../../protocol/limits.ts'
import { compilePatterns } from '../../protocol/patterns.ts'

describe('compilePatterns', () => {
  test.each([
    ['/**.jpg', '/a.jpg', true],
    ['/**.jpg', '/a/b.jpg', true],
    ['/**.jpg', '/.jpg', true],
    ['/**.jpg', '/a.jpg/', false],
    ['/**.jpg', '/a_jpg', false],
    ['/**.jpg', '/a.JPG', false],
    ['/*.jpg', '/a.jpg', true],
    ['/*.jpg', '/a/b.jpg', false],
    ['/video/**', '/video/', true],
    ['/video/**', '/video', false],
    ['/video/**', '/my/video/a', false],
    ['/**', '/', true],
    ['/', '/', true],
    ['/', '/a', false],
    ['/a', '/ab', false],
    ['/*/b/*', '/a/b/c', true],
    ['/*/b/*', '/a/a/b/c', false],
    ['/**a*b', '/a/ab', true],
    ['/**a*b', '/a/b', false],
    ['/**/x*y/**z', '/1/2/xxy/3/z', true],
    ['/a.(b)[c]+$^|{1}', '/a.(b)[c]+$^|{1}', true],
    ['/a.b', '/axb', false],
  ])('%s on %s is %s', (pattern, path, isNamed) => {
    expect(compilePatterns([pattern])(path)).toBe(isNamed)
  })

  test('takes out what a pattern with ! names, wherever it stands', () => {
    const isOurs = compilePatterns(['!/video/private/**', '/video/**'])
    expect(isOurs('/video/a.mp4')).toBe(true)
    expect(isOurs('/video/private/a.mp4')).toBe(false)
  })

  test('names nothing where no pattern names it', () => {
    expect(compilePatterns([])('/')).toBe(false)
    expect(compilePatterns(['!/a'])('/b')).toBe(false)
  })

  test('agrees with a plain definition of the two stars', () => {
    const token = fc.constantFrom('*', '**', 'a', 'b', '/', '.')
    const pattern = fc
      .array(token, { maxLength: 8 })
      .map((tokens) => `/${tokens.join('')}`)
      .filter((text) => (text.match(/\*+/g) ?? []).length <= 4 && !text.includes('***'))
    const path = fc.array(fc.constantFrom('a', 'b', '/', '.'), { maxLength: 8 }).map((parts) => `/${parts.join('')}`)
    fc.assert(
      fc.property(pattern, path, (text, given) => {
        expect(compilePatterns([text])(given)).toBe(isMatch(text, given))
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    '',
    'a',
    '*',
    'https://a/',
    '/a b',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/***',
    '/*a*b*c*d*e',
    `/${'a'.repeat(patternLength)}`,
    '!',
    '!!/a',
  ])('refuses the pattern %j', (pattern) => {
    expect(() => compilePatterns([pattern])).toThrow(TypeError)
  })

  test('refuses too many patterns', () => {
    expect(() => compilePatterns(Array.from({ length: patternLimit + 1 }, () => '/a'))).toThrow(RangeError)
  })

  // A visitor's link chooses the path, and the answer is given synchronously: a slow one would hold every request.
  test('answers at once where backtracking would take minutes', () => {
    const path = `/${'a'.repeat(1023)}`
    const patterns = ['/**a**a**a**b', '/*a*a*a*b', '/**a*a**a*b', `/**${'a'.repeat(200)}*${'a'.repeat(20)}**b`]
    expect(compilePatterns(patterns)(path)).toBe(false)
  })
})

/** The definition itself, as a recursion without any care for speed. */
function isMatch(pattern: string, path: string): boolean {
  if (pattern === '') return path === ''
  const isDeep = pattern.startsWith('**')
  if (!pattern.startsWith('*')) return path[0] === pattern[0] && isMatch(pattern.slice(1), path.slice(1))
  const rest = pattern.slice(isDeep ? 2 : 1)
  for (let length = 0; length <= path.length; length += 1) {
    if (!isDeep && path.slice(0, length).includes('/')) return false
    if (isMatch(rest, path.slice(length))) return true
  }
  return false
}
