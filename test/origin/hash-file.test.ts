import { createHash } from 'node:crypto'
import { appendFileSync } from 'node:fs'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isSettled } from '../../origin/file-identity.ts'
import { readHashCache, writeHashCache } from '../../origin/hash-cache.ts'
import { hashBytes, hashFile } from '../../origin/hash-file.ts'
import { chunkSizeFor, parseChunkList } from '../../protocol/chunks.ts'
import { maxChunkBytes } from '../../protocol/limits.ts'
import { seededRandom } from './temporary-site.ts'

let folder = ''
const buffer = new Uint8Array(maxChunkBytes)
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nearhand-hash-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('hashFile()', () => {
  test('gives what hashBytes() gives for the same bytes, whatever their number', async () => {
    const file = join(folder, 'any')
    await fc.assert(
      fc.asyncProperty(fc.nat(400_000), async (size) => {
        const bytes = seededRandom(size)(size)
        await writeFile(file, bytes)
        const { identity, ...content } = hashFile(file, 1e9, buffer)
        expect(identity).toContain(`${size}-`)
        expect(content).toEqual(hashBytes(bytes))
        const [list, ...others] = content.lists
        expect(others).toEqual([])
        if (list === undefined) expect(content.id).toBe(sha256(bytes))
        else {
          expect([list.id, content.id]).toEqual([content.id, sha256(list.bytes)])
          expect(parseChunkList(list.bytes, { size, chunkSize: chunkSizeFor(size) }).size).toBe(size)
        }
      }),
      { numRuns: 20, examples: [[0], [1], [65_535], [65_536], [65_537], [131_072]] },
    )
  })

  test('tells a change by the identity', async () => {
    const file = join(folder, 'changing')
    await writeFile(file, 'a')
    const before = hashFile(file, 100, buffer)
    await appendFile(file, 'b')
    const after = hashFile(file, 100, buffer)
    expect(after.identity).not.toBe(before.identity)
    expect(after.id).toBe(sha256(Buffer.from('ab')))
  })

  /** A buffer at whose every use another process writes to the file. */
  function meddlingBuffer(file: string, times: number): Uint8Array {
    let left = times
    const memory = new Uint8Array(maxChunkBytes)
    const meddling = new Uint8Array(maxChunkBytes)
    meddling.subarray = (start, end) => {
      if (left > 0) appendFileSync(file, 'more')
      left -= 1
      return memory.subarray(start, end)
    }
    return meddling
  }

  test('hashes again where the file changed while it was read', async () => {
    const file = join(folder, 'growing')
    await writeFile(file, 'a')
    expect(hashFile(file, 100, meddlingBuffer(file, 1))).toMatchObject({ size: 5, id: sha256(Buffer.from('amore')) })
  })

  test('gives up on a file that changes each time', async () => {
    const file = join(folder, 'log')
    await writeFile(file, 'a')
    expect(() => hashFile(file, 100, meddlingBuffer(file, 99))).toThrow('it changes while it is read')
  })

  test('refuses a file that grew over the limit, and one that is not there', async () => {
    const file = join(folder, 'large')
    await writeFile(file, 'abc')
    expect(() => hashFile(file, 2, buffer)).toThrow('over 2 bytes')
    expect(() => hashFile(join(folder, 'none'), 2, buffer)).toThrow('ENOENT')
  })
})

describe('isSettled()', () => {
  test('distrusts a file of this second where the file system keeps whole seconds only', () => {
    expect(isSettled('1-5-100000000001-7', 100)).toBe(true)
    expect(isSettled('1-5-100000000000-7', 101)).toBe(false)
    expect(isSettled('1-5-100000000000-7', 103)).toBe(true)
  })
})

describe('readHashCache()', () => {
  const id = hashBytes(new Uint8Array(1)).id

  test('reads what writeHashCache() wrote', async () => {
    const file = join(folder, 'cache')
    const known = [
      { path: '/a', identity: '1-2-3-4', size: 1, id, isUtf8: true },
      { path: '/b%20c', identity: '5-6-7-8', size: 2, id, isUtf8: false },
    ]
    await writeHashCache(file, known)
    expect((await readHashCache(file)).all).toEqual(known)
  })

  test.each([
    ['in their order', ['/a', '/b', '/c']],
    ['in any order', ['/c', '/a', '/a', '/b']],
    ['with others between', ['/0', '/a', '/aa', '/c', '/d', '/b']],
  ])('finds files %s, also where the lines are in none', async (_, asked) => {
    const file = join(folder, 'cache')
    const known = ['/b', '/c', '/a'].map((path) => ({ path, identity: '1-2-3-4', size: 1, id, isUtf8: true }))
    await writeHashCache(file, known)
    const cache = await readHashCache(file)
    const found = asked.map((path) => cache.find(path)?.path)
    expect(found).toEqual(asked.map((path) => (['/a', '/b', '/c'].includes(path) ? path : undefined)))
  })

  test.each([
    ['another version', `nearhand hashes 1\n/a\t1\t1\t${id}\n`],
    ['garbage', '\0\0\n\t\t\t'],
    ['broken lines', `nearhand hashes 2\n/a\t1-2\t1\n/b\n\n/c\t1\t1\tffff\n`],
    ['nothing', ''],
  ])('takes nothing from %s', async (_, content) => {
    const file = join(folder, 'bad-cache')
    await writeFile(file, content)
    expect((await readHashCache(file)).all).toEqual([])
    expect((await readHashCache(join(folder, 'missing'))).all).toEqual([])
  })
})
