import * as v from 'valibot'
import type { PeerId } from '../protocol/ids.ts'
import { peerIdSchema } from '../protocol/ids.ts'
import { seekLimit } from '../protocol/limits.ts'
import type { PeerView } from './exchange-messages.ts'
import type { Memory } from './memory.ts'

const schema = v.pipe(v.array(peerIdSchema), v.maxLength(seekLimit))

/**
 * The peers that this device was last connected to, so that the next page of the visit asks for the same ones. As long
 * as the tab is open; the names are the tracker's and last no longer than the peers' own pages.
 */
export class KnownPeers {
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  /** Undefined where there are none, or a script of the site wrote something else. */
  get ids(): readonly PeerId[] | undefined {
    const ids = v.safeParse(schema, this.#memory.get('peers')?.split(' '))
    return ids.success ? ids.output : undefined
  }

  /** None are no news: a page that is left loses its connections first. */
  note(peers: readonly PeerView[]): void {
    const ids = peers.slice(0, seekLimit).map(({ id }) => id)
    const text = ids.join(' ')
    if (text !== '' && text !== this.#memory.get('peers')) this.#memory.set('peers', text)
  }
}
