import fc from 'fast-check'
import * as v from 'valibot'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Effect, TrackerOptions, Visitor } from '../../origin/tracker.ts'
import { Tracker } from '../../origin/tracker.ts'
import { ProtocolError } from '../../protocol/errors.ts'
import type { PeerId, SwarmId } from '../../protocol/ids.ts'
import { peerIdSchema, swarmIdSchema } from '../../protocol/ids.ts'
import {
  candidatesPerPair,
  clockSkewSeconds,
  introduceAgainSeconds,
  introductionsReceived,
  offersPerPair,
} from '../../protocol/limits.ts'
import type { Pass } from '../../protocol/pass.ts'
import type { Signal, ToTracker } from '../../protocol/tracker-wire.ts'
import { passNow, passSite } from '../protocol/passes.ts'

const swarmOf = (number: number): SwarmId => v.parse(swarmIdSchema, number.toString(16).padStart(32, 'a'))
const idOf = (number: number): PeerId => v.parse(peerIdSchema, number.toString(16).padStart(32, '0'))
const [swarm, otherSwarm, foreignSwarm] = [swarmOf(1), swarmOf(2), swarmOf(0xbad)]
const [ann, bob, eve] = [idOf(1), idOf(2), idOf(3)]

const description = { iceUfrag: 'abcd', icePwd: 'a'.repeat(22), fingerprint: '0'.repeat(64) } as const
const offer: Signal = { type: 'offer', description: { ...description, setup: 'actpass' } }
const answer: Signal = { type: 'answer', description: { ...description, setup: 'active' } }
const publicCandidate = 'candidate:1 1 udp 2122260223 198.51.100.7 50000 typ srflx raddr 0.0.0.0 rport 0'
const localCandidate = 'candidate:2 1 udp 2122260223 192.168.0.4 50000 typ host'
const candidates = (...texts: string[]): Signal => ({ type: 'candidates', candidates: texts })

/** What the fake check of the tests takes for a pass: its own content. */
function passOf(fields: Partial<Pass> = {}): string {
  const pass = {
    site: passSite,
    issued: passNow,
    expires: passNow + 600,
    sections: ['/', '/live/'],
    fingerprint: description.fingerprint,
    ...fields,
  }
  return JSON.stringify(pass)
}

const visitorAt = (address: string, isLocalPage = false): Visitor => ({
  address,
  place: { subnet: address, network: 0, country: 0 },
  isLocalPage,
})

let tracker: Tracker
let now = passNow

function makeTracker(options: Partial<TrackerOptions> = {}): Tracker {
  const sections = new Map([
    [swarm, '/'],
    [otherSwarm, '/live/'],
  ])
  return new Tracker({
    lan: false,
    random: Math.random,
    now: () => now,
    sectionOf: (id) => sections.get(id),
    checkPass: (token) => JSON.parse(token) as Pass,
    ...options,
  })
}

function join(id: PeerId, address: string, ...swarms: SwarmId[]): void {
  tracker.open(id, visitorAt(address))
  tracker.receive(id, { type: 'join', version: 1, swarms: swarms.length > 0 ? swarms : [swarm], pass: passOf() })
}

/** Whom the tracker names to one that seeks. */
function seek(id: PeerId, count = 12, where = swarm): readonly PeerId[] {
  const [effect] = tracker.receive(id, { type: 'seek', swarm: where, count })
  return effect?.message.type === 'peers' ? effect.message.peers : []
}

function signal(from: PeerId, to: PeerId, content: Signal): Effect[] {
  return tracker.receive(from, { type: 'signal', to, signal: content })
}

beforeEach(() => {
  now = passNow
  tracker = makeTracker()
})

test('who joins is told the word of now, where there is one for them, and once', () => {
  let fresh: string | undefined = 'first'
  tracker = makeTracker({ fresh: () => fresh })
  const joinOf = (id: PeerId) => tracker.receive(id, { type: 'join', version: 1, swarms: [swarm], pass: passOf() })
  tracker.open(ann, visitorAt('198.51.100.1', false))
  expect(joinOf(ann)).toEqual([{ to: ann, message: { type: 'fresh', envelope: 'first' } }])
  expect(joinOf(ann), 'with a newer pass').toEqual([])
  fresh = undefined
  tracker.open(bob, visitorAt('198.51.100.2', false))
  expect(joinOf(bob)).toEqual([])
})

describe('introductions', () => {
  test('each connection is welcomed under the id that the edge drew', () => {
    expect(tracker.open(ann, visitorAt('198.51.100.1'))).toEqual([{ to: ann, message: { type: 'welcome', peer: ann } }])
  })

  test('who seeks is told the others of the swarm, and the others are told nothing', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    expect(tracker.receive(bob, { type: 'seek', swarm, count: 3 })).toEqual([
      { to: bob, message: { type: 'peers', swarm, peers: [ann] } },
    ])
  })

  test('a pair is introduced to one of them only, and to this one again after a while', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    expect(seek(bob)).toEqual([ann])
    for (let sent = 0; sent < offersPerPair; sent += 1) signal(bob, ann, offer)
    now += introduceAgainSeconds - 1
    expect([seek(bob), seek(ann)], 'too soon').toEqual([[], []])
    expect(signal(bob, ann, offer)).toEqual([])
    now += 1
    expect(seek(ann)).toEqual([])
    expect(seek(bob)).toEqual([ann])
    expect(signal(bob, ann, offer)).toHaveLength(1)
  })

  test('that are made again let an answer to the offer before pass', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    seek(ann)
    signal(ann, bob, offer)
    now += introduceAgainSeconds
    seek(ann)
    expect(signal(bob, ann, answer)).toHaveLength(1)
    expect(signal(bob, ann, candidates(publicCandidate))).toHaveLength(1)
  })

  test('nobody is introduced while the swarm is smaller than its minimum of now', () => {
    let minimumSwarm = 3
    tracker = makeTracker({ minimumSwarm: () => minimumSwarm })
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    expect([seek(ann), seek(bob)]).toEqual([[], []])
    join(eve, '198.51.100.3', otherSwarm)
    expect(seek(ann), 'those of another swarm do not count').toEqual([])
    minimumSwarm = 2
    expect(seek(ann)).toEqual([bob])
  })

  test('whom a page before was introduced to comes first, as long as that one is here', () => {
    const others = Array.from({ length: 40 }, (_, at) => idOf(100 + at))
    others.forEach((id, at) => join(id, `203.0.113.${at}`))
    join(ann, '198.51.100.1')
    const before = seek(ann, 3)
    tracker.close(ann)
    for (const id of before.slice(0, 1)) tracker.close(id)
    join(bob, '198.51.100.1')
    const known = [...before, ...before, eve, bob]
    const [effect] = tracker.receive(bob, { type: 'seek', swarm, count: 5, known })
    const told = effect?.message.type === 'peers' ? effect.message.peers : []
    expect(told.slice(0, 2)).toEqual(before.slice(1))
    expect(new Set(told).size).toBe(5)
  })

  test('nobody is led to whom they merely name, where those lost nobody at that address', () => {
    const populate = (): readonly PeerId[] => {
      tracker = makeTracker({ random: () => 0.5 })
      for (let at = 0; at < 40; at += 1) join(idOf(100 + at), `203.0.113.${at}`)
      join(ann, '198.51.100.1')
      const known = seek(ann)
      tracker.close(ann)
      join(eve, '198.51.100.66')
      return known
    }
    populate()
    const unasked = seek(eve, 1)
    const known = populate().filter((id) => !unasked.includes(id))
    const [effect] = tracker.receive(eve, { type: 'seek', swarm, count: 1, known })
    expect(known).not.toEqual([])
    expect(effect?.message).toMatchObject({ peers: unasked })
  })

  test('who joins later is told to those who seek again', () => {
    join(ann, '198.51.100.1')
    expect(seek(ann)).toEqual([])
    join(bob, '198.51.100.2')
    expect(seek(ann)).toEqual([bob])
  })

  test('stay within the swarm', () => {
    join(ann, '198.51.100.1', swarm)
    join(bob, '198.51.100.2', otherSwarm)
    join(eve, '198.51.100.3', swarm, otherSwarm)
    expect(seek(ann)).toEqual([eve])
    expect(seek(bob, 12, otherSwarm)).toEqual([eve])
  })

  test('pass over those behind the same address, unless in LAN mode', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.1')
    expect(seek(ann)).toEqual([])
    tracker = makeTracker({ lan: true })
    join(ann, '127.0.0.1')
    join(bob, '127.0.0.1')
    expect(seek(ann)).toEqual([bob])
  })

  test('join pages at localhost by local candidates, and nobody else to them', () => {
    for (const id of [ann, bob]) tracker.open(id, visitorAt('127.0.0.1', true))
    tracker.open(eve, visitorAt('127.0.0.1'))
    for (const id of [ann, bob, eve]) tracker.receive(id, { type: 'join', version: 1, swarms: [swarm], pass: passOf() })
    expect(seek(eve)).toEqual([])
    expect(seek(ann)).toEqual([bob])
    signal(ann, bob, offer)
    expect(signal(ann, bob, candidates(localCandidate))).toHaveLength(1)
    tracker.open(idOf(9), visitorAt('198.51.100.9'))
    tracker.receive(idOf(9), { type: 'join', version: 1, swarms: [swarm], pass: passOf() })
    expect(seek(ann)).toEqual([idOf(9)])
    signal(ann, idOf(9), offer)
    expect(signal(ann, idOf(9), candidates(localCandidate))).toEqual([])
  })

  test('end with the connection, and a new connection is a new peer', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    seek(ann)
    tracker.close(bob)
    expect(seek(ann)).toEqual([])
    expect(signal(ann, bob, offer)).toEqual([])
    join(idOf(9), '198.51.100.2')
    expect(seek(ann)).toEqual([idOf(9)])
  })

  test('that one peer receives are capped, and free again when the others leave', () => {
    join(ann, '198.51.100.1')
    // Each leaves the swarm after it sought, so that there is nobody else to be told of.
    const crowd = Array.from({ length: introductionsReceived + 1 }, (_, at) => idOf(100 + at))
    const told = crowd.map((id, at) => {
      join(id, `203.0.113.${at}`)
      const found = seek(id)
      tracker.receive(id, { type: 'join', version: 1, swarms: [otherSwarm], pass: passOf() })
      return found
    })
    expect(told).toEqual([...crowd.slice(1).map(() => [ann]), []])
    tracker.close(idOf(100))
    join(idOf(99), '203.0.113.200')
    expect(seek(idOf(99))).toEqual([ann])
  })

  test('of one who comes and goes leave nothing behind', () => {
    join(ann, '198.51.100.1')
    for (let round = 0; round < introductionsReceived * 3; round += 1) {
      const visitor = idOf(1000 + round)
      join(visitor, '203.0.113.1')
      expect(seek(visitor)).toEqual([ann])
      tracker.close(visitor)
    }
    expect(tracker.peerCount).toBe(1)
  })
})

describe('signals', () => {
  beforeEach(() => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    join(eve, '198.51.100.3', otherSwarm)
    seek(ann)
  })

  test('pass between the introduced in their order', () => {
    expect(signal(ann, bob, offer)).toEqual([{ to: bob, message: { type: 'signal', from: ann, signal: offer } }])
    expect(signal(bob, ann, answer)).toEqual([{ to: ann, message: { type: 'signal', from: bob, signal: answer } }])
    for (const [from, to] of [
      [ann, bob],
      [bob, ann],
    ] as const) {
      expect(signal(from, to, candidates(publicCandidate))).toEqual([
        { to, message: { type: 'signal', from, signal: candidates(publicCandidate) } },
      ])
    }
  })

  test('to those who were not introduced go nowhere, without a word', () => {
    for (const content of [offer, answer, candidates(publicCandidate)]) {
      expect(signal(eve, ann, content)).toEqual([])
      expect(signal(ann, eve, content)).toEqual([])
      expect(signal(ann, idOf(77), content)).toEqual([])
      expect(signal(ann, ann, content)).toEqual([])
    }
  })

  test('out of order cost the connection', () => {
    expect(() => signal(bob, ann, offer)).toThrow(ProtocolError)
    expect(() => signal(bob, ann, answer)).toThrow(ProtocolError)
    expect(() => signal(ann, bob, candidates(publicCandidate))).toThrow(ProtocolError)
    signal(ann, bob, offer)
    expect(() => signal(ann, bob, answer)).toThrow(ProtocolError)
    signal(bob, ann, answer)
    expect(() => signal(bob, ann, answer)).toThrow(ProtocolError)
  })

  test('are bounded for each pair', () => {
    for (let sent = 0; sent < offersPerPair; sent += 1) signal(ann, bob, offer)
    expect(signal(ann, bob, offer), 'dropped without a word').toEqual([])
    let passed = 0
    for (let sent = 0; sent < candidatesPerPair * 2; sent += 1) {
      passed += signal(ann, bob, candidates(publicCandidate)).length
    }
    expect(passed).toBe(candidatesPerPair)
  })

  test('lose local candidates, unless in LAN mode', () => {
    signal(ann, bob, offer)
    expect(signal(ann, bob, candidates(localCandidate))).toEqual([])
    expect(signal(ann, bob, candidates(localCandidate, publicCandidate))).toEqual([
      { to: bob, message: { type: 'signal', from: ann, signal: candidates(publicCandidate) } },
    ])
    tracker = makeTracker({ lan: true })
    join(ann, '127.0.0.1')
    join(bob, '127.0.0.1')
    seek(ann)
    signal(ann, bob, offer)
    expect(signal(ann, bob, candidates(localCandidate))).toHaveLength(1)
  })

  test('lose the related address, which is of the sender’s own network', () => {
    signal(ann, bob, offer)
    const revealing = 'candidate:1 1 udp 2122260223 198.51.100.7 50000 typ srflx raddr 192.168.0.4 rport 50000'
    const [effect] = signal(ann, bob, candidates(revealing))
    expect(JSON.stringify(effect)).not.toContain('192.168')
  })
})

describe('refusals', () => {
  test('a swarm that is not of this site cannot be joined', () => {
    tracker.open(ann, visitorAt('198.51.100.1'))
    expect(() =>
      tracker.receive(ann, { type: 'join', version: 1, swarms: [swarm, foreignSwarm], pass: passOf() }),
    ).toThrow(expect.objectContaining({ code: 'foreign' }))
  })

  test('a swarm cannot be joined whose section the pass does not name', () => {
    tracker.open(ann, visitorAt('198.51.100.1'))
    const message: ToTracker = {
      type: 'join',
      version: 1,
      swarms: [swarm, otherSwarm],
      pass: passOf({ sections: ['/'] }),
    }
    expect(() => tracker.receive(ann, message)).toThrow(expect.objectContaining({ code: 'untrusted' }))
    join(bob, '198.51.100.2')
    expect(seek(bob)).toEqual([])
  })

  test('a pass that does not hold lets nobody in', () => {
    tracker = makeTracker({
      checkPass() {
        throw new ProtocolError('expired', 'Cannot take pass: it expired')
      },
    })
    expect(() => join(ann, '198.51.100.1')).toThrow(expect.objectContaining({ code: 'expired' }))
    expect(() => seek(ann)).toThrow(ProtocolError)
  })

  test.each([offer, answer])('a certificate that the pass does not name cannot be signalled ($type)', (content) => {
    const [from, to] = content.type === 'offer' ? [ann, bob] : [bob, ann]
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    seek(ann)
    if (content.type === 'answer') signal(ann, bob, offer)
    const stolen = {
      ...content,
      description: { ...description, setup: 'actpass', fingerprint: '1'.repeat(64) },
    } as Signal
    expect(() => signal(from, to, stolen)).toThrow(expect.objectContaining({ code: 'untrusted' }))
  })

  test('a pass that ends must be followed by another, of the same certificate', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    now += 600 + clockSkewSeconds
    expect(() => seek(ann)).toThrow(expect.objectContaining({ code: 'expired' }))
    const renew = (fields: Partial<Pass>): Effect[] =>
      tracker.receive(ann, {
        type: 'join',
        version: 1,
        swarms: [swarm],
        pass: passOf({ expires: now + 600, ...fields }),
      })
    expect(() => renew({ fingerprint: '1'.repeat(64) })).toThrow(expect.objectContaining({ code: 'untrusted' }))
    renew({})
    expect(seek(ann), 'nobody is led to one whose pass ended').toEqual([])
    expect(() => seek(bob)).toThrow(ProtocolError)
  })

  test('a pass that ended signals nothing', () => {
    join(ann, '198.51.100.1')
    join(bob, '198.51.100.2')
    seek(ann)
    now += 600 + clockSkewSeconds
    expect(() => signal(ann, bob, offer)).toThrow(expect.objectContaining({ code: 'expired' }))
  })

  test('nobody seeks before joining, nor where they did not join', () => {
    tracker.open(ann, visitorAt('198.51.100.1'))
    expect(() => seek(ann)).toThrow(ProtocolError)
    join(bob, '198.51.100.2')
    expect(() => seek(bob, 1, otherSwarm)).toThrow(ProtocolError)
  })

  test('what comes from a connection that is closed does nothing', () => {
    join(ann, '198.51.100.1')
    tracker.close(ann)
    tracker.close(ann)
    expect(tracker.receive(ann, { type: 'seek', swarm, count: 1 })).toEqual([])
  })
})

test('Tracker.announce() reaches those who joined', () => {
  tracker.open(ann, visitorAt('198.51.100.1'))
  join(bob, '198.51.100.2')
  const message = { type: 'fresh', envelope: '{}' } as const
  expect(tracker.announce(message)).toEqual([{ to: bob, message }])
})

test('Tracker tells a peer only of those it introduced, whatever anybody does', () => {
  const peer = fc.nat(5).map(idOf)
  const swarms = fc.constantFrom(swarm, otherSwarm)
  const message: fc.Arbitrary<ToTracker> = fc.oneof(
    fc.record({
      type: fc.constant('join' as const),
      version: fc.constant(1),
      swarms: fc.array(swarms, { minLength: 1 }),
      pass: fc.constantFrom(passOf(), passOf({ sections: ['/'] }), passOf({ fingerprint: '1'.repeat(64) })),
    }),
    fc.record({ type: fc.constant('seek' as const), swarm: swarms, count: fc.integer({ min: 1, max: 12 }) }),
    fc.record({
      type: fc.constant('signal' as const),
      to: peer,
      signal: fc.constantFrom(offer, answer, candidates(publicCandidate)),
    }),
  )
  const step = fc.tuple(
    peer,
    fc.oneof({ weight: 9, arbitrary: message }, { weight: 1, arbitrary: fc.constant('close' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      tracker = makeTracker()
      const open = new Set<PeerId>()
      const introduced = new Set<string>()
      for (const [from, what] of steps) {
        if (!open.has(from)) tracker.open(from, visitorAt(`198.51.100.${Number.parseInt(from, 16)}`))
        open.add(from)
        let effects: Effect[] = []
        try {
          if (what === 'close') throw new ProtocolError('malformed', 'gone')
          effects = tracker.receive(from, what)
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error
          tracker.close(from)
          open.delete(from)
          for (const pair of introduced) if (pair.includes(from)) introduced.delete(pair)
        }
        for (const { to, message: told } of effects) {
          if (told.type === 'peers') {
            for (const other of told.peers) {
              expect(open.has(other) && other !== to && !introduced.has([to, other].toSorted().join())).toBe(true)
              introduced.add([to, other].toSorted().join())
            }
          }
          if (told.type === 'signal') expect(introduced.has([to, told.from].toSorted().join())).toBe(true)
        }
        expect(tracker.peerCount).toBe(open.size)
      }
    }),
  )
})
