import { isUtf8 } from 'node:buffer'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isUtf8File, Utf8Check } from '../../origin/utf8-check.ts'

/** UTF-8, sometimes with a byte that breaks it. */
const bytes = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.option(fc.tuple(fc.nat(40), fc.nat(255))))
  .map(([text, change]) => {
    const encoded = new TextEncoder().encode(text)
    if (change && change[0] < encoded.length) encoded[change[0]] = change[1]
    return encoded
  })

test('Utf8Check says of pieces what is so of the whole', () => {
  fc.assert(
    fc.property(bytes, fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }), (whole, lengths) => {
      const check = new Utf8Check()
      for (let at = 0, piece = 0; at < whole.length; piece += 1) {
        const length = lengths[piece % lengths.length] ?? 1
        check.take(whole.subarray(at, at + length))
        at += length
      }
      expect(check.isUtf8).toBe(isUtf8(whole))
    }),
  )
})

test('isUtf8File() reads on over the ends of its pieces', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nearhand-utf8-'))
  const text = Buffer.from('x€'.repeat(50_000))
  for (const [content, expected] of [
    [text, true],
    [text.subarray(0, -1), false],
    [Buffer.concat([text, Buffer.from([0xe9])]), false],
    [Buffer.alloc(0), true],
  ] as const) {
    await writeFile(join(folder, 'file'), content)
    const handle = await open(join(folder, 'file'))
    expect(await isUtf8File(handle, content.length)).toBe(expected)
    expect((await handle.readFile()).length).toBe(content.length)
    await handle.close()
  }
  await rm(folder, { recursive: true })
})
