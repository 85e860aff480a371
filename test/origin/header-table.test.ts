import { describe, expect, test } from 'vitest'
import type { Headers } from '../../origin/header-table.ts'
import { makeHeaderTable } from '../../origin/header-table.ts'

const type = (name: string): Headers => [['content-type', name]]

describe('makeHeaderTable()', () => {
  test('keeps the places of the sets that were there, so that old rows stay as they are', () => {
    expect(makeHeaderTable([type('b'), type('c')], [type('a'), type('b'), type('c')])).toEqual([
      type('b'),
      type('c'),
      type('a'),
    ])
  })

  test('begins anew when most sets are out of use', () => {
    expect(makeHeaderTable([type('a'), type('b'), type('c')], [type('c'), type('c')])).toEqual([type('c')])
  })

  test('refuses more sets than a head may hold', () => {
    const many = Array.from({ length: 257 }, (_, at) => type(`t/${at}`))
    expect(() => makeHeaderTable([], many)).toThrow('257 different sets')
    expect(makeHeaderTable(many.slice(0, 200), many.slice(100, 256))).toHaveLength(256)
  })
})
