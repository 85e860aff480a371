import type { Asset } from '../protocol/chunks.ts'
import { downloadBytes, mediaStartBytes, peerAssetBytes } from '../protocol/limits.ts'
import { typeOf, wireShareOf } from './wire-share.ts'

/** What a page can wait for peers, measured from when the origin alone would have brought the bytes. */
export interface Urgency {
  /** So much later they may be *expected*: what peers cannot promise sooner, the origin is asked for at once. */
  readonly slackMs: number
  /** So much later they may *come* before the origin is asked as well. */
  readonly patienceMs: number
}

/** What the page cannot be shown or run without. So little later nobody can tell, and near peers are asked at all. */
export const critical: Urgency = { slackMs: 40, patienceMs: 60 }
const seen: Urgency = { slackMs: 100, patienceMs: 200 }
const running: Urgency = { slackMs: 500, patienceMs: 1000 }
/** What nobody waits for. */
export const idle: Urgency = { slackMs: 5000, patienceMs: 5000 }
/** However patient: peers may cost so many times what the origin would, or a second more. */
const longestStretch = 2.2
const smallStretchMs = 1000

/** In how many milliseconds peers may be expected to give what the origin alone would give in `dueMs`. */
export function promptMsOf({ slackMs }: Urgency, dueMs: number): number {
  return Math.min(dueMs + slackMs, Math.max(dueMs * longestStretch, dueMs + smallStretchMs))
}

/**
 * How urgent a request is, by how far its bytes lie behind the first one asked for. A service worker sees neither
 * priority nor `loading=lazy` nor what a player has in hand, so: every image counts as looked at; the first MiB of a
 * media request is what a start or a seek waits for and the rest is ahead of the playing; what a script fetches is
 * what its type says, and a download where that says nothing of code and it is large.
 */
export function urgencyOf(
  { destination, headers }: Pick<Request, 'destination' | 'headers'>,
  asset: Pick<Asset, 'size' | 'headers'>,
): (aheadBytes: number) => Urgency {
  const type = typeOf(asset)
  const isMedia = /^(?:audio|video)\//.test(type)
  const isOpen = destination === 'image' || destination === 'audio' || destination === 'video' || destination === ''
  if (asset.size < peerAssetBytes) return () => critical
  const purpose = headers.get('sec-purpose') ?? headers.get('purpose')
  if (purpose?.startsWith('prefetch')) return () => idle
  if (!isOpen || type.startsWith('font/') || wireShareOf(asset) < 1) return () => critical
  if (isMedia && destination !== '') return (aheadBytes) => (aheadBytes < mediaStartBytes ? seen : running)
  return () => (destination === '' && asset.size >= downloadBytes ? running : seen)
}
