import * as v from 'valibot'
import { expect, test } from 'vitest'
import { chooseContent } from '../../origin/content.ts'
import { contentIdSchema } from '../../protocol/ids.ts'

const idOf = (number: number) => v.parse(contentIdSchema, String(number).padStart(64, '0'))
const [a, b, c, d] = [idOf(1), idOf(2), idOf(3), idOf(4)]

test('chooseContent() fills up from the newest head', () => {
  const heads = [
    { head: idOf(9), assets: [[a, 40] as const, [b, 40] as const] },
    { head: idOf(8), assets: [[a, 40] as const, [c, 30] as const, [d, 20] as const] },
  ]
  expect(chooseContent(heads, 1000)).toEqual(new Set([a, b, c, d]))
  expect(chooseContent(heads, 100)).toEqual(new Set([a, b, d]))
  expect(chooseContent(heads, 79)).toEqual(new Set([a, c]))
  expect(chooseContent(heads, 0)).toEqual(new Set())
})
