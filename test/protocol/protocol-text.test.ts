import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as limits from '../../protocol/limits.ts'

const text = readFileSync(new URL('../../docs/protocol.md', import.meta.url), 'utf8').split('## Limits')[1] ?? ''

test('docs/protocol.md states the limits that the code has', () => {
  const stated = [...text.matchAll(/^\| `(\w+)` +\| (\d+) /gm)].map(([, name = '', value]) => [name, Number(value)])
  const actual = Object.entries(limits)
  expect(stated.length).toBeGreaterThan(30)
  expect(stated).toEqual(stated.map(([name]) => [name, actual.find(([other]) => other === name)?.[1]]))
})
