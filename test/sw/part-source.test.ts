import { describe, expect, test } from 'vitest'
import { partIndex } from '../../protocol/bridge.ts'
import type { Bytes } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import { partLimitBytes, partRescueTries, partRestMs, partSlowMs, peerListDeadlineMs } from '../../protocol/limits.ts'
import type { PeerRead } from '../../sw/page-bridge.ts'
import { PartSource } from '../../sw/part-source.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { peer } from './route-scene.ts'

const part = contentOf(100)
const id = await contentIdOf(part)

type Answer = Awaited<PeerRead['answer']> | Bytes

/** Peers that give these answers in turn, each after so long; then the origin's. */
function scene({
  answers = [],
  tookMs = 0,
  isLinked = true,
  mayUsePeers = true,
  isGone = false,
}: {
  readonly answers?: Answer[]
  readonly tookMs?: number
  readonly isLinked?: boolean
  readonly mayUsePeers?: boolean
  readonly isGone?: boolean
}) {
  const seen = { asks: [] as unknown[], blames: 0, origin: 0 }
  let now = 0
  const source = new PartSource({
    now: () => now,
    mayUsePeers: () => mayUsePeers,
    origin: {
      readPart: () => {
        seen.origin += 1
        return isGone ? Promise.reject(new TypeError('offline')) : Promise.resolve(part)
      },
    },
    bridge: {
      isLinked,
      read(asset, ask) {
        seen.asks.push([asset.id, ask])
        now += tookMs
        const given = answers.shift() ?? 'nobody'
        const blame = (): void => void (seen.blames += 1)
        const answer = given instanceof Uint8Array ? { peer, bytes: given, blame } : given
        return { answer: Promise.resolve(answer), hurry: () => {}, withdraw: () => {} }
      },
    },
  })
  return { source, seen, pass: (ms: number) => (now += ms) }
}

describe('PartSource', () => {
  test('takes a part of a peer, by its id, with the short deadline', async () => {
    const { source, seen } = scene({ answers: [part] })
    expect(await source.read(id)).toEqual(part)
    const ask = { index: partIndex, length: partLimitBytes, deadlineMs: peerListDeadlineMs }
    expect(seen).toMatchObject({ asks: [[id, ask]], origin: 0, blames: 0 })
  })

  test.each([
    ['nobody is linked', { isLinked: false }],
    ['peers are off', { mayUsePeers: false }],
  ])('asks the origin at once where %s', async (_, how) => {
    const { source, seen } = scene({ ...how, answers: [part] })
    expect(await source.read(id)).toEqual(part)
    expect(seen).toMatchObject({ asks: [], origin: 1 })
  })

  test('blames who gives other bytes, and asks the origin', async () => {
    const { source, seen } = scene({ answers: [contentOf(100, 2)] })
    expect(await source.read(id)).toEqual(part)
    expect(seen).toMatchObject({ blames: 1, origin: 1 })
  })

  test.each(['late', 'silence', 'refused', 'nobody'] as const)(
    'leaves peers alone for a while that cost time: %s',
    async (answer) => {
      const { source, seen, pass } = scene({ answers: [answer, part, part], tookMs: partSlowMs })
      await source.read(id)
      await source.read(id)
      expect(seen).toMatchObject({ origin: 2 })
      expect(seen.asks).toHaveLength(1)
      pass(partRestMs)
      await source.read(id)
      expect(seen).toMatchObject({ origin: 2 })
    },
  )

  test('asks peers again where the origin is gone, liars among them', async () => {
    const evil = contentOf(100, 2)
    const { source, seen } = scene({ answers: [evil, evil, 'late', part], tookMs: partSlowMs, isGone: true })
    expect(await source.read(id)).toEqual(part)
    expect(seen).toMatchObject({ blames: 2, origin: 1 })
  })

  test('gives up where the origin is gone and no peer has it', async () => {
    const { source } = scene({ isGone: true })
    await expect(source.read(id)).rejects.toThrow('offline')
    const evil = scene({ answers: Array.from({ length: 100 }, () => contentOf(100, 2)), isGone: true })
    await expect(evil.source.read(id)).rejects.toThrow('offline')
    expect(evil.seen.blames).toBe(1 + partRescueTries)
  })
})
