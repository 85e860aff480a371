import { originSilenceMs } from '../protocol/limits.ts'
import { pause } from './deadline.ts'
import type { PeerSource } from './peer-source.ts'
import type { ChunkSource, Delivery } from './sources.ts'

/** The origin, and the peers again as long as it is silent: whoever brings the chunk first. A hanging origin fails never. */
export function orPeers(origin: ChunkSource, peers: Pick<PeerSource, 'readAgain'>): ChunkSource {
  return {
    name: origin.name,
    read(chunk, signal) {
      const over = new AbortController()
      const own = origin.read(chunk, signal).finally(() => over.abort())
      const again = async (): Promise<Delivery | undefined> => {
        for (;;) {
          await pause(originSilenceMs, over.signal)
          if (over.signal.aborted || signal.aborted) return own
          const delivery = await peers.readAgain(chunk, signal)
          if (delivery) return delivery
        }
      }
      return Promise.race([own, again()])
    },
  }
}
