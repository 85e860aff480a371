import { describe, expect, test } from 'vitest'
import { Tracker } from '../../origin/tracker.ts'
import type { PeerId } from '../../protocol/ids.ts'
import { peerIdSchema, siteIdSchema, swarmIdSchema } from '../../protocol/ids.ts'
import { parseValue } from '../../protocol/json.ts'
import { introductionsMade, introductionsReceived, seekLimit } from '../../protocol/limits.ts'
import type { Pass } from '../../protocol/pass.ts'
import { passNow, passSite } from '../protocol/passes.ts'

const swarm = parseValue(swarmIdSchema, 'a'.repeat(32), 'swarm')
const otherSwarm = parseValue(swarmIdSchema, 'b'.repeat(32), 'swarm')
const idOf = (number: number): PeerId => parseValue(peerIdSchema, number.toString(16).padStart(32, '0'), 'peer')
const pass: Pass = {
  site: parseValue(siteIdSchema, passSite, 'site'),
  issued: passNow,
  expires: passNow + 600,
  sections: ['/'],
  fingerprint: '0'.repeat(64),
}

function makeTracker(): Tracker {
  // The same draws in every run.
  let state = 1
  const random = (): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return state / 2 ** 32
  }
  return new Tracker({ lan: false, random, now: () => passNow, sectionOf: () => '/', checkPass: () => pass })
}

function join(tracker: Tracker, number: number, address: string): PeerId {
  const id = idOf(number)
  tracker.open(id, { address, place: { subnet: address, network: 0, country: 0 }, isLocalPage: false })
  tracker.receive(id, { type: 'join', version: 1, swarms: [swarm], pass: '' })
  return id
}

function seek(tracker: Tracker, id: PeerId): readonly PeerId[] {
  const [effect] = tracker.receive(id, { type: 'seek', swarm, count: seekLimit })
  return effect?.message.type === 'peers' ? effect.message.peers : []
}

/** All that one peer can learn by asking on and on. */
function seekAll(tracker: Tracker, id: PeerId): Set<PeerId> {
  const seen = new Set<PeerId>()
  for (let told = seek(tracker, id); told.length > 0; told = seek(tracker, id)) for (const peer of told) seen.add(peer)
  return seen
}

const addressOf = (number: number): string => `198.51.${number >> 8}.${number & 255}`

describe('enumeration of viewers', () => {
  test('ends at a bound for each connection, and gives names that mean nothing', () => {
    const tracker = makeTracker()
    for (let number = 1; number <= 1000; number += 1) join(tracker, number, addressOf(number))
    const spy = join(tracker, 5000, '203.0.113.1')
    const told = JSON.stringify(tracker.receive(spy, { type: 'seek', swarm, count: seekLimit }))
    expect(told).toContain('peers')
    expect(told).not.toContain('198.51.')
    const seen = seekAll(tracker, spy)
    expect(seekLimit + seen.size).toBe(introductionsMade)
  })

  test('by many connections costs each viewer a bounded number of introductions', () => {
    const tracker = makeTracker()
    const viewers = Array.from({ length: 20 }, (_, number) => join(tracker, number + 1, addressOf(number)))
    const introduced = new Map<PeerId, number>()
    for (let number = 0; number < 300; number += 1) {
      for (const peer of seekAll(tracker, join(tracker, 5000 + number, `203.0.113.${number % 256}`))) {
        introduced.set(peer, (introduced.get(peer) ?? 0) + 1)
      }
    }
    for (const viewer of viewers) expect(introduced.get(viewer)).toBeLessThanOrEqual(introductionsReceived)
  })
})

describe('many identities from one address', () => {
  test('never meet each other, and do not fill up each other’s introductions', () => {
    const tracker = makeTracker()
    const own = Array.from({ length: 200 }, (_, number) => join(tracker, number + 1, '203.0.113.1'))
    for (const id of own) expect(seek(tracker, id)).toEqual([])
  })

  test.each([
    ['one address', () => '203.0.113.1'],
    ['one household with IPv6', (number: number) => `2001:db8:1:1::${number}`],
  ])('keep nobody else from a peer: %s', (_, addressAt) => {
    const tracker = makeTracker()
    const viewers = Array.from({ length: 20 }, (_viewer, number) => join(tracker, number + 1, addressOf(number)))
    for (let number = 1; number < 300; number += 1) {
      const evil = join(tracker, 5000 + number, addressAt(number))
      seekAll(tracker, evil)
      // Then it hides, so that the one who comes after is led to viewers alone.
      tracker.receive(evil, { type: 'join', version: 1, swarms: [otherSwarm], pass: '' })
    }
    const met = seekAll(tracker, join(tracker, 9000, '192.0.2.1'))
    expect(viewers.filter((viewer) => met.has(viewer))).toEqual(viewers)
  })

  test('nine tenths of a swarm leave an honest peer some honest ones', () => {
    const tracker = makeTracker()
    for (let number = 1; number <= 900; number += 1) join(tracker, number, '203.0.113.1')
    const honest = new Set(Array.from({ length: 100 }, (_, at) => join(tracker, 5000 + at, addressOf(at))))
    const [visitor] = honest
    if (visitor === undefined) throw new Error('Cannot test: nobody is honest')
    const met = [...seekAll(tracker, visitor)].filter((peer) => honest.has(peer))
    expect(met.length).toBeGreaterThan(3)
  })
})
