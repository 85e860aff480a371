import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { pathLimit } from '../../protocol/limits.ts'
import { canonicalPath, pathOfFile, rowPath, sectionOf, spellPath } from '../../protocol/paths.ts'
import { readVector } from './read-vector.ts'

const vector = readVector<{
  canonicalPath: { given: string; canonical: string | null }[]
  pathOfFile: { file: string; path: string | null }[]
  rowPath: { path: string; row: string }[]
  sectionOf: { sections: string[]; paths: { path: string; section: string }[] }
}>('paths')

/** Text that is rich in what servers disagree about. */
const trickyPath = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '/',
        '.',
        '..',
        '%',
        '%2e',
        '%2F',
        '%5c',
        '%00',
        '%c3%a4',
        '%C3',
        '?',
        '#',
        '\\',
        '\ud800',
        'a',
        'A',
      ),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => `/${pieces.join('')}`)

describe('canonicalPath', () => {
  test.each(vector.canonicalPath)('spells $given as $canonical', ({ given, canonical }) => {
    expect(canonicalPath(given) ?? null).toBe(canonical)
  })

  test('never throws, and leaves its own result as it is', () => {
    fc.assert(
      fc.property(trickyPath, (path) => {
        const once = canonicalPath(path)
        if (once === undefined) return
        expect(canonicalPath(once)).toBe(once)
        expect(once.length).toBeLessThanOrEqual(pathLimit)
        expect(once).toMatch(/^\/[\w\-.!~*'()$&+,;=:@%/]*$/)
      }),
      { numRuns: 1000 },
    )
  })

  test('leads, as a URL, to itself: a browser changes nothing about it', () => {
    fc.assert(
      fc.property(trickyPath, (path) => {
        const once = canonicalPath(path)
        if (once !== undefined) expect(new URL(once, 'https://example.org').pathname).toBe(once)
      }),
      { numRuns: 1000 },
    )
  })
})

test('spellPath() is canonicalPath() without its limit', () => {
  fc.assert(
    fc.property(trickyPath, (path) => {
      expect(spellPath(path)).toBe(canonicalPath(path))
    }),
  )
  const long = `/${'\u6587'.repeat(pathLimit)}`
  expect(spellPath(long)).toBe(`/${'%E6%96%87'.repeat(pathLimit)}`)
  expect(canonicalPath(long)).toBeUndefined()
})

describe('pathOfFile', () => {
  test.each(vector.pathOfFile)('gives $path for the file $file', ({ file, path }) => {
    expect(pathOfFile(file) ?? null).toBe(path)
  })

  test('gives two files two paths, and each leads back to its file', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { minLength: 1, maxLength: 4 }), (names) => {
        const file = names.join('/')
        const path = pathOfFile(file)
        if (path !== undefined) expect(path.slice(1).split('/').map(decodeURIComponent).join('/')).toBe(file)
      }),
    )
  })
})

describe('rowPath', () => {
  test.each(vector.rowPath)('answers $path by the row $row', ({ path, row }) => {
    expect(rowPath(path)).toBe(row)
  })
})

describe('sectionOf', () => {
  test.each(vector.sectionOf.paths)('puts $path into $section', ({ path, section }) => {
    expect(sectionOf(path, vector.sectionOf.sections)).toBe(section)
    expect(sectionOf(path, vector.sectionOf.sections.toReversed())).toBe(section)
  })
})
