import { describe, expect, test } from 'vitest'
import { pipelineChunks } from '../../protocol/limits.ts'
import type { ChunkFeed } from '../../sw/respond.ts'
import { respond, respondEmpty } from '../../sw/respond.ts'
import type { CheckedChunk } from '../../sw/sources.ts'
import { rest } from '../fakes/clock.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset, verifiedChunk } from './made-asset.ts'

const chunkSize = 65_536
const count = 20
const made = await makeAsset('/a', contentOf(count * chunkSize - 100))
const size = made.content.length

class Feed implements ChunkFeed {
  readonly chunkSize = chunkSize
  readonly asked: number[] = []
  readonly needed: number[] = []
  hasBegun = false
  ends = 0
  failAt: number | undefined

  async read(index: number): Promise<CheckedChunk> {
    this.asked.push(index)
    if (index === this.failAt) throw new Error(`no chunk ${index}`)
    const bytes = await verifiedChunk(made, index)
    const chunk = { index, offset: index * chunkSize, length: bytes.length, digest: new Uint8Array(32) }
    return { chunk, bytes, source: 'origin', peer: undefined }
  }

  need(index: number): void {
    this.needed.push(index)
  }

  begin(): void {
    this.hasBegun = true
  }

  end(): void {
    this.ends += 1
  }
}

function start(feed: Feed, body = { start: 0, end: size }, delivered: [number, number][] = []) {
  const plan = { status: 206, headers: [['x-kept', 'yes']], body } as const
  return respond(plan, body, feed, ({ chunk }, bytes) => delivered.push([chunk.index, bytes]))
}

describe('respond()', () => {
  test.each([
    [0, size],
    [0, 1],
    [chunkSize, 2 * chunkSize],
    [chunkSize - 1, chunkSize + 1],
    [100, 5 * chunkSize + 7],
    [size - 1, size],
  ])('gives just the bytes %i to %i', async (first, end) => {
    const feed = new Feed()
    const delivered: [number, number][] = []
    const response = await start(feed, { start: first, end }, delivered)
    expect([response.status, response.headers.get('x-kept')]).toEqual([206, 'yes'])
    expect(Buffer.from(await response.arrayBuffer()).equals(made.content.subarray(first, end))).toBe(true)
    expect(delivered.reduce((sum, [, bytes]) => sum + bytes, 0)).toBe(end - first)
    expect([feed.hasBegun, feed.ends]).toEqual([true, 1])
    expect([...new Set(feed.needed)]).toEqual(feed.asked)
  })

  test('reads ahead only so far as the page reads', async () => {
    const feed = new Feed()
    const response = await start(feed)
    await rest()
    expect(feed.asked.length).toBeLessThanOrEqual(2 * pipelineChunks)
    expect(feed.needed).not.toContain(3)
    const before = feed.asked.length
    await rest()
    expect(feed.asked.length).toBe(before)
    await response.body?.cancel()
    expect(feed.ends).toBe(1)
  })

  test('fails before the response where the first chunk cannot be had', async () => {
    const feed = new Feed()
    feed.failAt = 0
    await expect(start(feed)).rejects.toThrow('no chunk 0')
    expect([feed.hasBegun, feed.ends]).toEqual([false, 1])
  })

  test('breaks the body where a later chunk cannot be had, after all that came before', async () => {
    const feed = new Feed()
    feed.failAt = 12
    const response = await start(feed)
    const reader = response.body?.getReader()
    for (let index = 0; index < 12; index += 1) expect((await reader?.read())?.value?.length).toBe(chunkSize)
    await expect(reader?.read()).rejects.toThrow('no chunk 12')
    expect(feed.ends).toBe(1)
  })
})

describe('respondEmpty()', () => {
  test.each([304, 416] as const)('gives %i without a body', async (status) => {
    const response = respondEmpty({ status, headers: [['etag', '"a"']], body: undefined })
    expect([response.status, response.headers.get('etag'), response.body]).toEqual([status, '"a"', null])
  })
})
