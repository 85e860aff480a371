import { ProtocolError } from '../protocol/errors.ts'
import type { ContentId } from '../protocol/ids.ts'
import { digestsPerPage, haveEntriesPerPeer, mapsPerPeer } from '../protocol/limits.ts'
import type { HaveState, PeerFrame, ShortId } from '../protocol/peer-wire.ts'
import { listIndexOnWire, pageOfIndexOnWire, shortIdOf } from '../protocol/peer-wire.ts'

type Have = Extract<PeerFrame, { type: 'have' }>
type ChunkMap = Extract<PeerFrame, { type: 'map' }>

/** What one peer says that it holds. It may lie: what counts is what it then sends. */
export class Holdings {
  /** By section; short ids and whether the asset is there whole. */
  readonly #sections = new Map<string, Map<ShortId, HaveState>>()
  readonly #sectionOfProof: ReadonlyMap<ShortId, string>
  /** Asked-for maps; undefined until the first comes. */
  readonly #maps = new Map<ContentId, ChunkMap | undefined>()
  #isTold = false

  /** @param sectionOfProof the swarms shared with this peer, by the proofs that it gave */
  constructor(sectionOfProof: ReadonlyMap<ShortId, string>) {
    this.#sectionOfProof = sectionOfProof
    for (const section of sectionOfProof.values()) this.#sections.set(section, new Map())
  }

  /** Whether it said anything yet. */
  get isTold(): boolean {
    return this.#isTold
  }

  accept(frame: Have): void {
    const section = this.#sectionOfProof.get(frame.proof)
    const held = section === undefined ? undefined : this.#sections.get(section)
    if (held === undefined) throw new ProtocolError('foreign', 'Cannot take have list: of a swarm that is not shared')
    if (frame.reset) held.clear()
    for (const { id, state } of frame.entries) {
      if (state === 'gone') held.delete(id)
      else held.set(id, state)
    }
    let count = 0
    for (const one of this.#sections.values()) count += one.size
    if (count > haveEntriesPerPeer) throw new ProtocolError('oversized', `Cannot take have list: ${count} entries`)
    this.#isTold = true
  }

  acceptMap(frame: ChunkMap): void {
    if (!this.#maps.has(frame.asset)) throw new ProtocolError('foreign', 'Cannot take map: nobody asked for it')
    // The frame is a view on what came from the channel: a copy lets the rest go.
    this.#maps.set(frame.asset, { ...frame, bits: frame.bits.slice() })
  }

  /** `gone` where it never said anything of this asset. */
  stateOf(section: string, asset: ContentId): HaveState {
    return this.#sections.get(section)?.get(shortIdOf(asset)) ?? 'gone'
  }

  /** Whether it can give this chunk (or chunk list), as far as it told. */
  hasChunk(section: string, asset: ContentId, index: number): boolean {
    const state = this.stateOf(section, asset)
    if (state !== 'part') return state === 'whole'
    if (index === listIndexOnWire) return true
    const map = this.#maps.get(asset)
    if (map === undefined) return false
    const page = pageOfIndexOnWire(index)
    if (page === undefined) return isInMap(map, index)
    // Whoever holds a chunk has the page that says so.
    const first = page * digestsPerPage
    for (let at = first; at < first + digestsPerPage; at += 2 ** map.scale) if (isInMap(map, at)) return true
    return false
  }

  /** Says whether to send `interest`: the asset is partial there, and its map was not asked for. */
  wantsMap(section: string, asset: ContentId): boolean {
    if (this.stateOf(section, asset) !== 'part' || this.#maps.has(asset)) return false
    // What was asked for once stays in the table, as an update may be on its way at any time.
    if (this.#maps.size >= mapsPerPeer) return false
    this.#maps.set(asset, undefined)
    return true
  }

  /** It told that it has not what its list says: believe that until the list says so anew. */
  forget(section: string, asset: ContentId): void {
    this.#sections.get(section)?.delete(shortIdOf(asset))
  }
}

function isInMap({ scale, count, bits }: ChunkMap, index: number): boolean {
  const bit = index >>> scale
  return bit < count && ((bits[bit >>> 3] ?? 0) & (0x80 >>> (bit & 7))) !== 0
}
