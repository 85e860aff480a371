import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Place, Seat } from '../../origin/roster.ts'
import { Roster } from '../../origin/roster.ts'

interface Member {
  readonly name: number
  introductions: number
}

const nowhere: Place = { subnet: '', network: 0, country: 0 }
const placeOf = (number: number): Place => ({
  subnet: `subnet ${number}`,
  network: 1 + (number % 97),
  country: 1 + (number % 7),
})

/** Numbers from 0 to 1 that are the same in each run. */
function createRandom(): () => number {
  let state = 1
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

function fill(roster: Roster<Member>, count: number, place: (name: number) => Place): Seat<Member>[] {
  return Array.from({ length: count }, (_, name) => roster.add({ name, introductions: 0 }, place(name)))
}

interface Wish {
  readonly count?: number
  readonly random?: () => number
  readonly mayPick?: (peer: Member) => boolean
}

function pick(roster: Roster<Member>, seat: Seat<Member>, wish: Wish = {}): Member[] {
  const { count = 5, random = Math.random, mayPick = () => true } = wish
  return roster.pick(seat, { count, mayPick, loadOf: (peer) => peer.introductions, random })
}

function first<Item>(items: readonly Item[]): Item {
  const [item] = items
  if (item === undefined) throw new Error('Cannot take the first: there is none')
  return item
}

test('pick() gives each peer once, never oneself, and only those that may be picked', () => {
  const places = fc.array(
    fc.record({ subnet: fc.constantFrom('', 'a', 'b'), network: fc.nat(2), country: fc.nat(2) }),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  const chances = fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true }))
  fc.assert(
    fc.property(places, fc.nat(14), chances, (where, count, stream) => {
      const roster = new Roster<Member>()
      const seats = where.map((place, name) => roster.add({ name, introductions: 0 }, place))
      const mayPick = (peer: Member): boolean => peer.name % 3 !== 1
      const random = (): number => stream.next().value ?? 0
      const picked = pick(roster, first(seats), { count, mayPick, random })
      const others = seats.slice(1).filter(({ peer }) => mayPick(peer)).length
      expect(picked).toHaveLength(Math.min(count, others))
      expect(new Set(picked).size).toBe(picked.length)
      expect(picked.every((peer) => mayPick(peer) && peer.name !== 0)).toBe(true)
    }),
  )
})

test('pick() looks at no more than a bounded part of a large swarm', () => {
  const roster = new Roster<Member>()
  const seats = fill(roster, 100_000, placeOf)
  let looks = 0
  pick(roster, first(seats), { count: 12, mayPick: () => ((looks += 1), false) })
  expect(looks).toBeLessThan(300)
})

test('pick() finds the near first, and leaves two of five for those far away', () => {
  const roster = new Roster<Member>()
  const seats = fill(roster, 1000, (name) => (name < 20 ? { subnet: 'home', network: 1, country: 1 } : placeOf(name)))
  const random = createRandom()
  let near = 0
  for (let round = 0; round < 1000; round += 1) {
    near += pick(roster, first(seats), { random }).filter(({ name }) => name < 20).length
  }
  expect(near / 1000).toBeGreaterThan(1)
  expect(near / 1000).toBeLessThanOrEqual(3.1)
})

test('pick() spreads introductions over a swarm whose places nobody knows', () => {
  const roster = new Roster<Member>()
  const seats = fill(roster, 50, () => nowhere)
  const random = createRandom()
  for (let round = 0; round < 1000; round += 1) {
    for (const seat of seats.slice(0, 5)) for (const peer of pick(roster, seat, { random })) peer.introductions += 1
  }
  const counts = seats.slice(5).map(({ peer }) => peer.introductions)
  expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.5)
})

test('pick() gives a quarter of the swarm that sits in one subnet less than a twentieth of the introductions', () => {
  const roster = new Roster<Member>()
  const random = createRandom()
  // Where visitors come from: many subnets, some dozen networks, some countries.
  const visitors = fill(roster, 770, (name) => placeOf(name % 300))
  for (let name = 1000; name < 1230; name += 1) {
    roster.add({ name, introductions: 0 }, { subnet: 'attacker', network: 4000, country: 200 })
  }
  let [evil, all] = [0, 0]
  for (const seat of [...visitors, ...visitors, ...visitors]) {
    for (const peer of pick(roster, seat, { random })) {
      all += 1
      peer.introductions += 1
      if (peer.name >= 1000) evil += 1
    }
  }
  expect(all).toBeGreaterThan(11_000)
  expect(evil / all).toBeLessThan(0.05)
})

test('remove() leaves everybody else, and nothing of those who left', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { maxLength: 120 }), (steps) => {
      const roster = new Roster<Member>()
      const seats = new Map<number, Seat<Member>>()
      for (const [isJoin, name] of steps) {
        const seat = seats.get(name)
        if (isJoin && seat === undefined) seats.set(name, roster.add({ name, introductions: 0 }, placeOf(name % 5)))
        if (isJoin || seat === undefined) continue
        roster.remove(seat)
        seats.delete(name)
      }
      expect(roster.size).toBe(seats.size)
      const watcher = roster.add({ name: 99, introductions: 0 }, nowhere)
      const names = pick(roster, watcher, { count: 60 }).map(({ name }) => name)
      expect(new Set(names)).toEqual(new Set(seats.keys()))
    }),
  )
})
