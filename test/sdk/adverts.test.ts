import { expect, test } from 'vitest'
import type { ContentId } from '../../protocol/ids.ts'
import { contentIdOfDigest } from '../../protocol/hash.ts'
import { haveEntriesPerFrame, haveEntriesPerPeer } from '../../protocol/limits.ts'
import type { HaveState, PeerFrame } from '../../protocol/peer-wire.ts'
import { encodeFrame, parseFrame, shortIdOf } from '../../protocol/peer-wire.ts'
import type { StoredAsset } from '../../protocol/store-layout.ts'
import { Adverts } from '../../sdk/adverts.ts'

const proof = 'a'.repeat(16)

function assetOf(number: number, section = '/'): StoredAsset {
  const digest = new Uint8Array(32)
  new DataView(digest.buffer).setUint32(0, number)
  return { id: contentIdOfDigest(digest), path: '/a', section, size: 1, chunkSize: 65_536, spans: [0], usedAt: 0 }
}

function scene() {
  const sent: PeerFrame[] = []
  // Through the wire format: what no peer could read must not be sent.
  const adverts = new Adverts((frame) => sent.push(parseFrame(encodeFrame(frame))), new Map([['/', proof]]))
  const haves = () => sent.filter((frame) => frame.type === 'have')
  return { adverts, haves }
}

const whole = (): HaveState => 'whole'

test('Adverts tells an empty list, too', () => {
  const { adverts, haves } = scene()
  adverts.tellAll(() => [], whole)
  expect(haves()).toEqual([{ type: 'have', proof, reset: true, entries: [] }])
})

test('Adverts splits a long list, resets once, and ends at what a peer keeps', () => {
  const { adverts, haves } = scene()
  adverts.tellAll(() => Array.from({ length: haveEntriesPerPeer + 5 }, (_, at) => assetOf(at)), whole)
  expect(haves().map(({ reset }) => reset)).toEqual([
    true,
    ...haves()
      .slice(1)
      .map(() => false),
  ])
  expect(Math.max(...haves().map(({ entries }) => entries.length))).toBe(haveEntriesPerFrame)
  expect(haves().reduce((sum, { entries }) => sum + entries.length, 0)).toBe(haveEntriesPerPeer)
  adverts.tellChanged([assetOf(1_000_000)], whole)
  expect(haves().reduce((sum, { entries }) => sum + entries.length, 0)).toBe(haveEntriesPerPeer)
})

test('Adverts tells only what changed for the peer', () => {
  const { adverts, haves } = scene()
  const [known, fresh] = [assetOf(1), assetOf(2)]
  adverts.tellAll(() => [known], whole)
  const states = new Map<ContentId, HaveState>([
    [known.id, 'whole'],
    [fresh.id, 'part'],
  ])
  const stateOf = (id: ContentId): HaveState => states.get(id) ?? 'gone'
  adverts.tellChanged([known, fresh], stateOf)
  adverts.tellChanged([known, fresh], stateOf)
  states.clear()
  adverts.tellChanged([known, assetOf(3)], stateOf)
  expect(
    haves()
      .slice(1)
      .map(({ entries }) => entries),
  ).toEqual([[{ id: shortIdOf(fresh.id), state: 'part' }], [{ id: shortIdOf(known.id), state: 'gone' }]])
})

test('Adverts says nothing of other sections', () => {
  const { adverts, haves } = scene()
  const secret = assetOf(1, '/members/')
  adverts.tellAll((section) => [secret].filter((asset) => asset.section === section), whole)
  adverts.tellChanged([secret], whole)
  expect(haves().flatMap(({ entries }) => entries)).toEqual([])
  expect(adverts.isShared('/members/')).toBe(false)
})
