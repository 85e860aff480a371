import type { ContentId } from '../protocol/ids.ts'
import { haveEntriesPerFrame, haveEntriesPerPeer, mapsPerPeer } from '../protocol/limits.ts'
import type { HaveEntry, HaveState, PeerFrame, ShortId } from '../protocol/peer-wire.ts'
import { shortIdOf } from '../protocol/peer-wire.ts'
import type { StoredAsset } from '../protocol/store-layout.ts'

type Have = Extract<PeerFrame, { type: 'have' }>

/** The whole list for a new peer. At least one frame, so that also an empty list was told. */
function haveFrames(proof: ShortId, entries: readonly HaveEntry[], reset: boolean): readonly Have[] {
  const frames: Have[] = []
  for (let at = 0; at < Math.max(1, entries.length); at += haveEntriesPerFrame) {
    const part = entries.slice(at, at + haveEntriesPerFrame)
    frames.push({ type: 'have', proof, reset: reset && at === 0, entries: part })
  }
  return frames
}

/** What was told to one peer of this device's store, and what it wants to hear more of. */
export class Adverts {
  readonly #send: (frame: PeerFrame) => void
  readonly #proofOfSection: ReadonlyMap<string, ShortId>
  /** By section, what the peer was last told of each asset. */
  readonly #told = new Map<string, Map<ContentId, HaveState>>()
  readonly #interests = new Set<ContentId>()

  /** @param proofOfSection our own proofs of the shared swarms */
  constructor(send: (frame: PeerFrame) => void, proofOfSection: ReadonlyMap<string, ShortId>) {
    this.#send = send
    this.#proofOfSection = proofOfSection
  }

  /** Whether the peer may know of what lies in this section. */
  isShared(section: string): boolean {
    return this.#proofOfSection.has(section)
  }

  /** Tells the whole list anew: `held` gives the assets of a section, the most useful first. */
  tellAll(held: (section: string) => readonly StoredAsset[], stateOf: (id: ContentId) => HaveState): void {
    let room = haveEntriesPerPeer
    for (const [section, proof] of this.#proofOfSection) {
      const assets = held(section).slice(0, room)
      room -= assets.length
      this.#told.set(section, new Map(assets.map(({ id }) => [id, stateOf(id)])))
      const entries = assets.map(({ id }) => ({ id: shortIdOf(id), state: stateOf(id) }))
      for (const frame of haveFrames(proof, entries, true)) this.#send(frame)
    }
  }

  /** Tells what changed, as far as the peer may know it and does not know it yet. */
  tellChanged(assets: readonly StoredAsset[], stateOf: (id: ContentId) => HaveState): void {
    for (const [section, proof] of this.#proofOfSection) {
      const told = this.#told.get(section)
      const entries: HaveEntry[] = []
      for (const { id, section: own } of assets) {
        const state = stateOf(id)
        if (told === undefined || own !== section || (told.get(id) ?? 'gone') === state) continue
        if (state !== 'gone' && !told.has(id) && this.#toldCount() >= haveEntriesPerPeer) continue
        if (state === 'gone') told.delete(id)
        else told.set(id, state)
        entries.push({ id: shortIdOf(id), state })
      }
      if (entries.length > 0) for (const frame of haveFrames(proof, entries, false)) this.#send(frame)
    }
  }

  interested(asset: ContentId): void {
    this.#interests.add(asset)
    for (const oldest of this.#interests) {
      if (this.#interests.size <= mapsPerPeer) break
      this.#interests.delete(oldest)
    }
  }

  isInterested(asset: ContentId): boolean {
    return this.#interests.has(asset)
  }

  #toldCount(): number {
    return [...this.#told.values()].reduce((sum, told) => sum + told.size, 0)
  }
}
