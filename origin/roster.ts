/** Where the address of a client lies. 0 and '' where nobody knows. Never what a client says of itself. */
export interface Place {
  /** The /24 of an IPv4 address, the /48 of an IPv6 one. */
  readonly subnet: string
  /** Number of the autonomous system. */
  readonly network: number
  readonly country: number
}

/** One peer in one swarm. */
export interface Seat<Peer> {
  readonly peer: Peer
  /** Those that it belongs to, and where it stands in each; undefined of a place that nobody knows. */
  readonly groups: readonly [Group<Peer>, ...(Group<Peer> | undefined)[]]
  readonly positions: [number, number, number, number]
}

export interface PickOptions<Peer> {
  readonly count: number
  readonly mayPick: (peer: Peer) => boolean
  /** Of two that were drawn the one with the smaller load is taken. */
  readonly loadOf: (peer: Peer) => number
  /** A number from 0 up to but not 1. */
  readonly random: () => number
}

const everybody = 0
const subnet = 1
const network = 2
const country = 3

/** Of those picked, at most so many are near: the rest keep a swarm from falling apart into islands. */
const nearShare = 0.6
const subnetShare = 0.4
const networkShare = 0.8 // together with the one before
/** Draws for one place among the picked, until it is left to the others. */
const drawsPerPick = 4
/** Up to so many are looked through one by one, so that a small swarm misses nobody. */
const sweepLimit = 64

/**
 * The peers of one swarm by where they are. Picking costs the same in a swarm of ten and of a million: dense lists,
 * drawn from at random, with removal that does not search.
 *
 * Whoever fills a swarm from one subnet gains little: at most two of five picked are drawn from all peers alike, and
 * of the far ones no two share a subnet.
 */
export class Roster<Peer> {
  readonly #all = new Group<Peer>(everybody)
  readonly #subnets = new Groups<Peer>(subnet)
  readonly #networks = new Groups<Peer>(network)
  readonly #countries = new Groups<Peer>(country)

  get size(): number {
    return this.#all.seats.length
  }

  add(peer: Peer, place: Place): Seat<Peer> {
    const groups = [
      this.#all,
      this.#subnets.open(place.subnet),
      this.#networks.open(place.network),
      this.#countries.open(place.country),
    ] as const
    const seat: Seat<Peer> = { peer, groups, positions: [0, 0, 0, 0] }
    for (const group of groups) group?.add(seat)
    return seat
  }

  remove(seat: Seat<Peer>): void {
    for (const group of seat.groups) group?.remove(seat)
    this.#subnets.drop(seat.groups[subnet])
    this.#networks.drop(seat.groups[network])
    this.#countries.drop(seat.groups[country])
  }

  /** Up to `count` others for one who sits here. */
  pick(seat: Seat<Peer>, options: PickOptions<Peer>): Peer[] {
    const picked = new Picked(seat, options)
    this.#pickNear(seat, picked, options)
    this.#pickFar(picked, options)
    this.#sweep(picked, options)
    return picked.seats.map(({ peer }) => peer)
  }

  #pickNear({ groups }: Seat<Peer>, picked: Picked<Peer>, { count, random }: PickOptions<Peer>): void {
    for (let left = Math.floor(count * nearShare); left > 0; left -= 1) {
      const chance = random()
      if (chance < subnetShare && picked.take(groups[subnet])) continue
      if (chance < networkShare && picked.take(groups[network])) continue
      picked.take(groups[country])
    }
  }

  #pickFar(picked: Picked<Peer>, { count, random }: PickOptions<Peer>): void {
    const taken: Seat<Peer>[] = []
    const isFar = (other: Seat<Peer>): boolean =>
      !other.groups[subnet] || taken.every(({ groups }) => groups[subnet] !== other.groups[subnet])
    for (let draws = drawsPerPick * count; draws > 0 && picked.seats.length < count; draws -= 1) {
      const group = draws % 2 === 0 ? this.#all : this.#subnets.draw(random)
      const other = picked.take(group, isFar)
      if (other) taken.push(other)
    }
  }

  /** Where chance found too few, those that are there in turn, from anywhere on. */
  #sweep(picked: Picked<Peer>, { count, random }: PickOptions<Peer>): void {
    const { seats } = this.#all
    const start = Math.floor(random() * seats.length)
    for (let step = 0; step < Math.min(seats.length, sweepLimit) && picked.seats.length < count; step += 1) {
      const other = seats[(start + step) % seats.length]
      if (other && picked.mayTake(other)) picked.seats.push(other)
    }
  }
}

class Picked<Peer> {
  readonly seats: Seat<Peer>[] = []
  readonly #seat: Seat<Peer>
  readonly #options: PickOptions<Peer>

  constructor(seat: Seat<Peer>, options: PickOptions<Peer>) {
    this.#seat = seat
    this.#options = options
  }

  mayTake(other: Seat<Peer>): boolean {
    return other !== this.#seat && !this.seats.includes(other) && this.#options.mayPick(other.peer)
  }

  /**
   * The less loaded of those drawn (the power of two choices). Of everybody just one is drawn: a crowd that few were
   * led to would win each comparison.
   */
  take(group: Group<Peer> | undefined, isWelcome: (other: Seat<Peer>) => boolean = () => true): Seat<Peer> | undefined {
    const { loadOf, random } = this.#options
    let best: Seat<Peer> | undefined
    for (let left = group?.isEverybody ? 1 : 2; left > 0; left -= 1) {
      const other = group?.draw(random)
      if (other === undefined || other === best || !isWelcome(other) || !this.mayTake(other)) continue
      if (best === undefined || loadOf(other.peer) < loadOf(best.peer)) best = other
    }
    if (best) this.seats.push(best)
    return best
  }
}

class Group<Peer> {
  readonly seats: Seat<Peer>[] = []
  readonly name: string | number
  /** Where it stands among the groups of its kind. */
  position = 0
  readonly #kind: 0 | 1 | 2 | 3

  constructor(kind: 0 | 1 | 2 | 3, name: string | number = '') {
    this.#kind = kind
    this.name = name
  }

  get isEverybody(): boolean {
    return this.#kind === everybody
  }

  add(seat: Seat<Peer>): void {
    seat.positions[this.#kind] = this.seats.length
    this.seats.push(seat)
  }

  remove(seat: Seat<Peer>): void {
    const last = this.seats.pop()
    if (last === undefined || last === seat) return
    const position = seat.positions[this.#kind]
    this.seats[position] = last
    last.positions[this.#kind] = position
  }

  draw(random: () => number): Seat<Peer> | undefined {
    return this.seats[Math.floor(random() * this.seats.length)]
  }
}

/** Groups by name, of which also one can be drawn at random. What has no name is in no group. */
class Groups<Peer> {
  readonly #kind: 1 | 2 | 3
  readonly #byName = new Map<string | number, Group<Peer>>()
  readonly #list: Group<Peer>[] = []

  constructor(kind: 1 | 2 | 3) {
    this.#kind = kind
  }

  open(name: string | number): Group<Peer> | undefined {
    const known = this.#byName.get(name)
    if (known || !name) return known
    const group = new Group<Peer>(this.#kind, name)
    group.position = this.#list.length
    this.#byName.set(name, group)
    this.#list.push(group)
    return group
  }

  /** Forgets one where nobody is left. */
  drop(group: Group<Peer> | undefined): void {
    if (group === undefined || group.seats.length > 0) return
    this.#byName.delete(group.name)
    const last = this.#list.pop()
    if (last === undefined || last === group) return
    this.#list[group.position] = last
    last.position = group.position
  }

  draw(random: () => number): Group<Peer> | undefined {
    return this.#list[Math.floor(random() * this.#list.length)]
  }
}
