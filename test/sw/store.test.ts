import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ContentId } from '../../protocol/ids.ts'
import { assemblyBytes, storePauseMs, touchMs } from '../../protocol/limits.ts'
import type { StoredAsset, StoreMessage } from '../../protocol/store-layout.ts'
import { listKey, spanKey } from '../../protocol/store-layout.ts'
import { Assembler } from '../../sw/assembler.ts'
import { chooseVictims, storedBytes } from '../../sw/evict.ts'
import { isWhole, Store } from '../../sw/store.ts'
import { verify } from '../../sw/verify.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import type { MadeAsset } from './made-asset.ts'
import { makeAsset, verifiedChunk } from './made-asset.ts'

const KIB = 1024
const small = await makeAsset('/small', contentOf(1000))
const other = await makeAsset('/other', contentOf(1000, 2))
const several = await makeAsset('/several', contentOf(200 * KIB))
const large = await makeAsset('/large', contentOf(9 * KIB * KIB))

function open(disk = new MemoryDisk(), limitBytes = 100_000_000) {
  const told: StoreMessage[] = []
  const reports: unknown[] = []
  const time = { now: 1_000_000 }
  const store = new Store({
    disk: disk.store,
    limitBytes,
    now: () => time.now,
    tell: (message) => void told.push(message),
    report: (error) => void reports.push(error),
  })
  return { store, disk, told, reports, time }
}

async function keepAll(store: Store, made: MadeAsset, from = 0, to = Infinity): Promise<void> {
  const { asset, content, list } = made
  const verifiedList = list.length > 0 ? await verifiedChunk(await makeAsset('', list), 0) : undefined
  for (let index = from; index * asset.chunkSize < content.length && index < to; index += 1) {
    store.keep(asset, index, await verifiedChunk(made, index), { list: verifiedList, page: undefined })
  }
  await store.settled()
}

describe('Store', () => {
  test('writes an asset once all its chunks are there, with its list, and tells', async () => {
    const { store, disk, told } = open()
    await keepAll(store, several, 0, 3)
    expect(disk.files.size).toBe(0)
    await keepAll(store, several, 3)
    const { id } = several.asset
    expect([...disk.files.keys()].toSorted()).toEqual([spanKey(id, 0), listKey(id)].toSorted())
    expect(new Uint8Array((await disk.files.get(spanKey(id, 0))?.arrayBuffer()) ?? [])).toEqual(several.content)
    expect(told).toEqual([{ type: 'stored', asset: expect.objectContaining({ id, spans: [0], usedAt: 1_000_000 }) }])
    expect(isWhole(await store.find(id))).toBe(true)
  })

  test('writes the spans of a large asset one by one, in any order', async () => {
    const { store, disk } = open()
    await keepAll(store, large, 8, 16)
    expect((await store.find(large.asset.id))?.spans).toEqual([1])
    await keepAll(store, large, 0, 9)
    expect((await store.find(large.asset.id))?.spans).toEqual([0, 1])
    expect(disk.files.get(spanKey(large.asset.id, 1))?.size).toBe(KIB * KIB)
    expect(isWhole(await store.find(large.asset.id))).toBe(false)
  })

  test('makes room by dropping what was not used for longest', async () => {
    const { store, disk, time, told } = open(new MemoryDisk(), 2500)
    const third = await makeAsset('/third', contentOf(1000, 3))
    await keepAll(store, small)
    time.now += 1
    await keepAll(store, other)
    time.now += touchMs
    store.touch(small.asset.id)
    await keepAll(store, third)
    expect([...disk.rows.keys()].toSorted()).toEqual([small.asset.id, third.asset.id].toSorted())
    expect(told).toContainEqual({ type: 'dropped', id: other.asset.id })
    expect(disk.files.size).toBe(2)
  })

  test('keeps of what is larger than its limit the spans next to what was read last, on half of its room', async () => {
    const { store, disk, told } = open(new MemoryDisk(), 5 * KIB * KIB)
    await keepAll(store, small)
    await keepAll(store, large)
    const { id } = large.asset
    expect((await store.find(id))?.spans).toEqual([7, 8])
    expect(told.at(-1)).toMatchObject({ type: 'stored', asset: { id, spans: [7, 8] } })
    await keepAll(store, large, 24, 32) // the visitor goes back
    expect((await store.find(id))?.spans).toEqual([3, 7])
    const kept = [spanKey(id, 3), spanKey(id, 7), listKey(id), spanKey(small.asset.id, 0)]
    expect([...disk.files.keys()].toSorted()).toEqual(kept.toSorted())
  })

  test('does not store what is larger than its limit', async () => {
    const { store, disk } = open(new MemoryDisk(), 999)
    await keepAll(store, small)
    expect(disk.files.size).toBe(0)
  })

  test('pauses when the device is full, then makes do with less', async () => {
    const { store, disk, time, reports } = open()
    await keepAll(store, small)
    await keepAll(store, other)
    disk.writeFailure = new DOMException('full', 'QuotaExceededError')
    await keepAll(store, several)
    expect(reports).toHaveLength(1)
    disk.writeFailure = undefined
    const third = await makeAsset('/third', contentOf(500, 3))
    await keepAll(store, third)
    expect(disk.rows.has(third.asset.id)).toBe(false)
    time.now += storePauseMs
    await keepAll(store, third)
    expect(disk.rows.has(third.asset.id)).toBe(true)
    expect(disk.rows.size).toBe(1)
  })

  test('does not take rows that a script of the page made up', async () => {
    const disk = new MemoryDisk()
    disk.rows.set(small.asset.id, { id: small.asset.id, size: -1 })
    const { store, reports } = open(disk)
    expect(await store.find(small.asset.id)).toBeUndefined()
    expect(reports).toHaveLength(1)
    await keepAll(store, small)
    expect((await store.find(small.asset.id))?.spans).toEqual([0])
  })

  test('repairs the row of a span that is gone or short', async () => {
    const { store, disk, told } = open()
    await keepAll(store, large, 0, 16)
    disk.files.set(spanKey(large.asset.id, 0), new Blob(['short']))
    const row = await store.find(large.asset.id)
    expect(row && (await store.openSpan(row, 0))).toBeUndefined()
    await store.settled()
    expect(told.at(-1)).toEqual({ type: 'stored', asset: expect.objectContaining({ spans: [1] }) })
  })

  test('keeps to itself what the disk refuses', async () => {
    const { store, disk, reports } = open()
    disk.failure = new Error('no disk')
    await keepAll(store, small)
    expect(await store.find(small.asset.id)).toBeUndefined()
    store.touch(small.asset.id)
    store.drop(small.asset.id)
    await store.settled()
    expect(reports.length).toBeGreaterThan(0)
  })
})

describe('Assembler', () => {
  test('gives up the longest untouched chunks beyond its limit', async () => {
    const assembler = new Assembler(3 * 64 * KIB)
    const second = await makeAsset('/second', contentOf(200 * KIB, 5))
    for (const index of [0, 1]) assembler.add(several.asset, index, await verifiedChunk(several, index))
    for (const index of [0, 1]) assembler.add(second.asset, index, await verifiedChunk(second, index))
    expect(assembler.bytes).toBe(2 * 64 * KIB)
    assembler.add(second.asset, 2, await verifiedChunk(second, 2))
    expect(assembler.add(second.asset, 3, await verifiedChunk(second, 3))?.body.size).toBe(200 * KIB)
    expect(assembler.bytes).toBe(0)
  })

  test('does not count a chunk twice', async () => {
    const assembler = new Assembler(assemblyBytes)
    for (let turn = 0; turn < 5; turn += 1) {
      expect(assembler.add(several.asset, 0, await verifiedChunk(several, 0))).toBeUndefined()
    }
    expect(assembler.bytes).toBe(64 * KIB)
  })
})

describe('chooseVictims()', () => {
  const rowOf = (size: number, usedAt: number, at: number): StoredAsset => ({
    id: at.toString(16).padStart(64, '0') as ContentId,
    path: '/a',
    section: '/',
    size,
    chunkSize: 65_536,
    spans: [0],
    usedAt,
  })
  const rows = fc
    .array(fc.tuple(fc.nat(10_000), fc.nat(100)), { maxLength: 20 })
    .map((sizes) => sizes.map(([size, usedAt], at) => rowOf(size, usedAt, at)))

  test.each<[string, Partial<StoredAsset>, Partial<StoredAsset>]>([
    ['what was used once goes before what was used often', { uses: 1 }, { uses: 3 }],
    ['what many neighbours hold goes before what is rare among them', { holders: 4 }, { holders: 1 }],
    ['what nobody used for longest goes first', { usedAt: 0 }, { usedAt: 1 }],
    ['what is large goes before what is small', { size: 2000 }, { size: 1000 }],
    ['what was just used goes last, whatever its size', { uses: 9 }, { usedAt: 1e9, size: 9000 }],
  ])('%s', (_, first, second) => {
    const [one, other] = [rowOf(1000, 0, 1), rowOf(1000, 0, 2)]
    const held = [
      { ...other, ...second },
      { ...one, ...first },
    ]
    const limit = held.reduce((sum, row) => sum + storedBytes(row), 0)
    expect(chooseVictims(held, 1, limit, rowOf(0, 0, 99).id, 1e9)).toEqual([one.id])
  })

  test('makes enough room, and no more than needed', () => {
    fc.assert(
      fc.property(rows, fc.nat(20_000), fc.nat(100_000), (held, needed, limit) => {
        const writing = held[0]?.id ?? rowOf(0, 0, 99).id
        const victims = chooseVictims(held, needed, limit, writing, 1000)
        const size = (kept: readonly StoredAsset[]): number => kept.reduce((sum, row) => sum + storedBytes(row), needed)
        if (victims === undefined) return size(held.slice(0, 1)) > limit
        const kept = held.filter(({ id }) => !victims.includes(id))
        const gone = held.filter(({ id }) => victims.includes(id))
        const last = gone.find(({ id }) => id === victims.at(-1))
        return (
          size(kept) <= limit && !victims.includes(writing) && (last === undefined || size([...kept, last]) > limit)
        )
      }),
    )
  })
})

describe('verify()', () => {
  test('makes only the very bytes trusted', async () => {
    const chunk = {
      index: 0,
      offset: 0,
      length: 4,
      digest: new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.of(1, 2, 3, 4))),
    }
    expect(await verify(Uint8Array.of(1, 2, 3, 4), chunk)).toEqual(Uint8Array.of(1, 2, 3, 4))
    expect(await verify(Uint8Array.of(1, 2, 3, 5), chunk)).toBeUndefined()
    expect(await verify(Uint8Array.of(1, 2, 3, 4, 0), chunk)).toBeUndefined()
    expect(await verify(Uint8Array.of(1, 2, 3, 4), { ...chunk, length: 5 })).toBeUndefined()
  })
})
