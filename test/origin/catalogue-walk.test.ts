import { expect, test } from 'vitest'
import { walkCatalogue } from '../../origin/catalogue-walk.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import { indexRowLimit } from '../../protocol/limits.ts'

test('walkCatalogue() reads a page where its first path stands, and nothing below it elsewhere', async () => {
  const parts = new Map<string, ReturnType<typeof utf8>>()
  const keep = async (part: object) => {
    const bytes = utf8(JSON.stringify(part))
    const id = await contentIdOf(bytes)
    parts.set(id, bytes)
    return id
  }
  const paths = Array.from({ length: indexRowLimit }, (_, at) => `/${String(at).padStart(4, '0')}`)
  // Four small parts, and 512^4 ways through them.
  let below = await keep({ rows: [['/0000', 0, 1, 65_536, 'a'.repeat(64)]] })
  for (const _ of [1, 2, 3]) below = await keep({ rows: paths.map((path) => [path, below]) })
  const seen = { part: 0, row: 0, broken: 0 }
  const index = paths.map((first) => ({ first, id: below }))
  const read = (id: string) => Promise.resolve(parts.get(id) ?? utf8(''))
  for await (const { type } of walkCatalogue(index, 3, read)) seen[type] += 1
  expect(seen).toEqual({ part: 512 * 4, row: 1, broken: 511 * 4 })
})
