import { describe, expect, test } from 'vitest'
import { pageIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { encodeChunkList, encodePages } from '../../protocol/chunks.ts'
import { contentIdOf, contentIdOfDigest, sha256 } from '../../protocol/hash.ts'
import { seedCacheBytes } from '../../protocol/limits.ts'
import { indexOnWire, listIndexOnWire, shortIdOf } from '../../protocol/peer-wire.ts'
import type { StoredAsset } from '../../protocol/store-layout.ts'
import { listKey, pageKey, spanKey } from '../../protocol/store-layout.ts'
import { Holdings } from '../../sdk/holdings.ts'
import { SeedStore } from '../../sdk/seed-store.ts'
import { contentOf, StoredDisk } from '../fakes/stored-disk.ts'

const MIB = 1024 * 1024

async function open(disk: StoredDisk): Promise<{ store: SeedStore; changed: string[] }> {
  const store = new SeedStore(disk)
  const changed: string[] = []
  await store.open((asset) => changed.push(asset.id))
  return { store, changed }
}

test.each([1, 65_536, 65_537, 200_000, 9 * MIB])('SeedStore reads back every chunk of %d bytes', async (size) => {
  const disk = new StoredDisk()
  const content = contentOf(size)
  const asset = await disk.put(content)
  const { store } = await open(disk)
  expect(store.stateOf(asset.id)).toBe('whole')
  const chunks: Uint8Array[] = []
  for (let index = 0; index * asset.chunkSize < size; index += 1) {
    chunks.push((await store.read(asset.id, index)) ?? new Uint8Array())
  }
  expect(Buffer.concat(chunks).equals(content)).toBe(true)
  expect(await store.read(asset.id, chunks.length)).toBeUndefined()
})

test('SeedStore gives the chunk list of an asset that has one', async () => {
  const disk = new StoredDisk()
  const [small, large] = [await disk.put(contentOf(100)), await disk.put(contentOf(100_000))]
  const { store } = await open(disk)
  expect(await store.read(large.id, listIndexOnWire)).toEqual(disk.entries.get(listKey(large.id)))
  expect(await store.read(small.id, listIndexOnWire)).toBeUndefined()
})

test.each([
  ['a small asset', 1000, 0],
  ['the second chunk of a large one', 200_000, 1],
])('SeedStore gives nothing of %s that somebody altered, and holds it no longer', async (_, size, index) => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(size))
  const bytes = disk.entries.get(spanKey(asset.id, 0))
  bytes?.set([(bytes[index * asset.chunkSize] ?? 0) ^ 1], index * asset.chunkSize)
  const { store, changed } = await open(disk)
  expect(await store.read(asset.id, index)).toBeUndefined()
  expect(store.stateOf(asset.id)).toBe('gone')
  expect(changed.at(-1)).toBe(asset.id)
})

test.each([
  ['the list is another one', (disk: StoredDisk, key: string) => disk.entries.set(key, contentOf(48))],
  ['the list is gone', (disk: StoredDisk, key: string) => disk.entries.delete(key)],
])('SeedStore gives no chunk where %s', async (_, spoil) => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(70_000))
  spoil(disk, listKey(asset.id))
  const { store } = await open(disk)
  expect(await store.read(asset.id, 0)).toBeUndefined()
  expect(await store.read(asset.id, listIndexOnWire)).toBeUndefined()
})

test('SeedStore survives a store that fails', async () => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(100))
  disk.read = () => Promise.reject(new Error('the disk is gone'))
  const { store } = await open(disk)
  expect(await store.read(asset.id, 0)).toBeUndefined()
})

test('SeedStore knows which spans of a partial asset are there', async () => {
  const disk = new StoredDisk()
  const content = contentOf(9 * MIB)
  const asset = await disk.put(content, { spans: [1] })
  const { store } = await open(disk)
  expect(store.stateOf(asset.id)).toBe('part')
  expect(await store.read(asset.id, 0)).toBeUndefined()
  const first = MIB / asset.chunkSize
  expect(await store.read(asset.id, first)).toEqual(content.subarray(MIB, MIB + asset.chunkSize))
  const { count, bits } = store.mapOf(asset)
  expect(count).toBe(72)
  expect([...bits]).toEqual([0, 255, 0, 0, 0, 0, 0, 0, 0])
})

describe('of a list with pages', () => {
  const chunkSize = 64 * 1024
  const size = 2100 * chunkSize // more than one list has room for, in the smallest chunks that there are
  const span = 1024 / (MIB / chunkSize) // the first of the second page
  const content = contentOf(MIB, 5)

  async function pagedDisk(): Promise<{ disk: StoredDisk; asset: StoredAsset; page: Bytes }> {
    const disk = new StoredDisk()
    const digests = Array.from({ length: 2100 }, () => new Uint8Array(32))
    for (let at = 0; at < MIB / chunkSize; at += 1) {
      digests[1024 + at] = await sha256(content.slice(at * chunkSize, (at + 1) * chunkSize))
    }
    const pages = encodePages(digests)
    const list = encodeChunkList({ size, chunkSize, digests: await Promise.all(pages.map(sha256)) })
    const asset = {
      id: await contentIdOf(list),
      path: '/film',
      section: '/',
      size,
      chunkSize,
      spans: [span],
      usedAt: 1,
    }
    const [, page = new Uint8Array()] = pages
    disk.assets.push(asset)
    disk.entries.set(listKey(asset.id), list)
    disk.entries.set(pageKey(asset.id, 1), page)
    disk.entries.set(spanKey(asset.id, span), content)
    return { disk, asset, page }
  }

  test('SeedStore gives the page that is there, and chunks that it vouches for', async () => {
    const { disk, asset, page } = await pagedDisk()
    const { store } = await open(disk)
    expect(await store.read(asset.id, indexOnWire(pageIndex(1)))).toEqual(page)
    expect(await store.read(asset.id, 1025)).toEqual(content.slice(chunkSize, 2 * chunkSize))
    for (const other of [0, 2, 3]) expect(await store.read(asset.id, indexOnWire(pageIndex(other)))).toBeUndefined()
    expect(store.stateOf(asset.id), 'a page that is not there says nothing of the rest').toBe('part')
  })

  test('SeedStore gives no chunk where the page was altered', async () => {
    const { disk, asset } = await pagedDisk()
    disk.entries.set(pageKey(asset.id, 1), new Uint8Array(32 * 1024))
    const { store } = await open(disk)
    expect(await store.read(asset.id, indexOnWire(pageIndex(1)))).toBeUndefined()
    expect(await store.read(asset.id, 1024)).toBeUndefined()
  })

  test('mapOf() says in one bit what is held of several chunks, and Holdings reads it so', async () => {
    const { disk, asset } = await pagedDisk()
    const { store } = await open(disk)
    const map = store.mapOf({ ...asset, spans: [0, 1, span, 131] })
    expect([map.scale, map.count, map.bits.length]).toEqual([1, 1050, 132])
    const proof = 'a'.repeat(16)
    const peer = new Holdings(new Map([[proof, '/']]))
    peer.accept({ type: 'have', proof, reset: true, entries: [{ id: shortIdOf(asset.id), state: 'part' }] })
    peer.wantsMap('/', asset.id)
    peer.acceptMap({ type: 'map', asset: asset.id, ...map })
    const held = (index: number) => peer.hasChunk('/', asset.id, index)
    expect([0, 31, 32, 1023, 1024, 1039, 1040, 2095, 2096, 2099, 2100].filter(held)).toEqual([
      0, 31, 1024, 1039, 2096, 2099,
    ])
    expect([0, 1, 2, 3].filter((page) => held(indexOnWire(pageIndex(page))))).toEqual([0, 1, 2])
  })
})

test('SeedStore follows the service worker', async () => {
  const disk = new StoredDisk()
  const { store, changed } = await open(disk)
  const asset = await disk.put(contentOf(100))
  disk.tell({ type: 'stored', asset })
  expect(await store.read(asset.id, 0)).toEqual(contentOf(100))
  disk.tell({ type: 'dropped', id: asset.id })
  expect(await store.read(asset.id, 0)).toBeUndefined()
  expect(changed).toEqual([asset.id, asset.id])
})

test('SeedStore does not take back what was dropped while it read the index', async () => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(100))
  const store = new SeedStore(disk)
  const opening = store.open(() => {})
  disk.tell({ type: 'dropped', id: asset.id })
  await opening
  expect(store.stateOf(asset.id)).toBe('gone')
})

test('SeedStore reads no more than the chunk that is asked for, and that once', async () => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(8 * MIB))
  const { store } = await open(disk)
  await store.read(asset.id, listIndexOnWire)
  disk.readBytes = 0
  for (const index of [5, 5, 77, 5]) await store.read(asset.id, index)
  expect(disk.readBytes).toBe(asset.chunkSize * 2)
})

test('SeedStore keeps no more chunks than its share of memory, those used last', async () => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(200_000))
  const large = await disk.put(contentOf(seedCacheBytes, 2))
  const { store } = await open(disk)
  const readsOf = () => disk.reads.filter((key) => key === spanKey(asset.id, 0)).length
  await store.read(asset.id, 0)
  await store.read(asset.id, 1)
  const chunks = seedCacheBytes / large.chunkSize
  for (let index = 0; index < chunks - 1; index += 1) await store.read(large.id, index)
  // One more, and the oldest goes; but this one was used again.
  await store.read(asset.id, 0)
  await store.read(large.id, chunks - 1)
  expect(readsOf()).toBe(2)
  await store.read(asset.id, 0)
  expect(readsOf()).toBe(2)
  await store.read(asset.id, 1)
  expect(readsOf()).toBe(3)
})

test('SeedStore forgets the chunks of what was dropped, and checks them anew', async () => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(200_000))
  const { store } = await open(disk)
  await store.read(asset.id, 0)
  disk.tell({ type: 'dropped', id: asset.id })
  disk.entries.get(spanKey(asset.id, 0))?.fill(0)
  disk.tell({ type: 'stored', asset })
  expect(await store.read(asset.id, 0)).toBeUndefined()
})

test('SeedStore gives nothing of an entry that was cut short', async () => {
  const disk = new StoredDisk()
  const asset = await disk.put(contentOf(200_000))
  const key = spanKey(asset.id, 0)
  disk.entries.set(key, contentOf(200_000).slice(0, 70_000))
  const { store } = await open(disk)
  expect(await store.read(asset.id, 1)).toBeUndefined()
  expect(store.stateOf(asset.id)).toBe('gone')
})

test('SeedStore holds nothing of what it never heard', async () => {
  const { store } = await open(new StoredDisk())
  const id = contentIdOfDigest(new Uint8Array(32))
  expect(store.stateOf(id)).toBe('gone')
  expect(await store.read(id, 0)).toBeUndefined()
})
