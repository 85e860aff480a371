import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeCatalogue } from '../../origin/bins.ts'
import type { CatalogueItem } from '../../origin/catalogue-walk.ts'
import { walkCatalogue } from '../../origin/catalogue-walk.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { headLimitBytes, partLimitBytes } from '../../protocol/limits.ts'
import type { BinRow } from '../../protocol/manifest.ts'

const someId = await contentIdOf(new Uint8Array(3))
const rowsOf = (paths: Iterable<string>) =>
  [...new Set(paths)].toSorted().map((path): BinRow => [path, 0, 3, 65_536, someId])
const numbered = (count: number, prefix = '/d/') =>
  rowsOf(Array.from({ length: count }, (_, at) => `${prefix}${String(at).padStart(7, '0')}.js`))

async function walk(catalogue: ReturnType<typeof makeCatalogue>): Promise<CatalogueItem[]> {
  const read = async (id: ContentId) => catalogue.parts.get(id) ?? new Uint8Array()
  const items: CatalogueItem[] = []
  for await (const item of walkCatalogue(catalogue.index, catalogue.indexDepth, read)) items.push(item)
  return items
}

const rowsIn = (items: readonly CatalogueItem[]) => items.flatMap((item) => (item.type === 'row' ? [item.row] : []))

describe('makeCatalogue()', () => {
  test('keeps every row of any set of paths, in parts within their limit that are named by their hash', async () => {
    const names = fc.stringMatching(/^[a-z0-9]{1,12}(\/[a-z0-9]{1,40}){0,4}$/)
    await fc.assert(
      fc.asyncProperty(fc.array(names, { maxLength: 900, size: 'max' }), async (paths) => {
        const rows = rowsOf(paths.map((path) => `/${path}`))
        const catalogue = makeCatalogue(rows, headLimitBytes)
        expect(rowsIn(await walk(catalogue))).toEqual(rows)
        for (const [id, bytes] of catalogue.parts) {
          expect(bytes.length).toBeLessThanOrEqual(partLimitBytes)
          expect(await contentIdOf(bytes)).toBe(id)
        }
      }),
      { numRuns: 15 },
    )
  })

  test('makes one bin of a small site and nothing of an empty one', () => {
    expect(makeCatalogue(numbered(300), headLimitBytes).parts.size).toBe(1)
    expect(makeCatalogue([], headLimitBytes)).toMatchObject({ indexDepth: 0, index: [] })
  })

  test('puts long paths into parts of at most 48 KiB', () => {
    const { parts } = makeCatalogue(numbered(300, `/${'x'.repeat(900)}/`), headLimitBytes)
    expect(Math.max(...[...parts.values()].map((part) => part.length))).toBeLessThan(49 * 1024)
  })

  test('changes few parts where a row comes or goes', () => {
    const rows = numbered(5000)
    const before = makeCatalogue(rows, headLimitBytes)
    const without = makeCatalogue(rows.toSpliced(2500, 1), headLimitBytes)
    const added = [...without.parts.keys()].filter((id) => !before.parts.has(id))
    expect(before.parts.size).toBeGreaterThan(60)
    expect(added.length).toBeLessThanOrEqual(2)
  })

  test('adds index pages where the index does not fit into the head', async () => {
    const rows = numbered(5000)
    const catalogue = makeCatalogue(rows, 4096)
    expect(catalogue.indexDepth).toBe(1)
    expect(rowsIn(await walk(catalogue))).toEqual(rows)
    const deeper = makeCatalogue(numbered(40_000), 600)
    expect(deeper.indexDepth).toBe(3)
    expect(rowsIn(await walk(deeper))).toHaveLength(40_000)
  })

  test('refuses more than an index can hold', () => {
    expect(() => makeCatalogue(numbered(5000), 10)).toThrow('does not fit the')
  })
})

describe('walkCatalogue()', () => {
  test('names a part that is broken and goes on behind it', async () => {
    const rows = numbered(1000)
    const { index, parts } = makeCatalogue(rows, headLimitBytes)
    const broken = index[1]?.id
    const read = async (id: ContentId) => (id === broken ? new Uint8Array(9) : (parts.get(id) ?? new Uint8Array()))
    const items: CatalogueItem[] = []
    for await (const item of walkCatalogue(index, 0, read)) items.push(item)
    expect(items.filter(({ type }) => type === 'broken')).toMatchObject([{ id: broken }])
    expect(rowsIn(items).at(-1)).toEqual(rows.at(-1))
  })

  test('calls a part broken that stands at the wrong place', async () => {
    const { index, parts } = makeCatalogue(numbered(10), headLimitBytes)
    const read = async (id: ContentId) => parts.get(id) ?? new Uint8Array()
    const items: CatalogueItem[] = []
    for await (const item of walkCatalogue([{ first: '/a', id: index[0]?.id ?? someId }], 0, read)) items.push(item)
    expect(items.map(({ type }) => type)).toContain('broken')
  })
})
