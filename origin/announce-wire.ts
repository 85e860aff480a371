import { ProtocolError } from '../protocol/errors.ts'
import { announceMessageBytes, announceOffers, scrapeHashes } from '../protocol/limits.ts'

/*
 * The WebTorrent tracker protocol over WebSocket, as bittorrent-tracker and p2p-media-loader speak it: JSON texts, ids
 * of 20 bytes written as 20 characters from U+0000 to U+00FF. One socket speaks for many peers.
 */

export interface Offer {
  readonly id: string
  readonly sdp: string
}

export type ToAnnounce =
  | {
      readonly type: 'announce'
      readonly swarm: string
      readonly peer: string
      readonly event: 'started' | 'completed' | 'stopped' | 'update'
      /** Whether it has all there is. */
      readonly isComplete: boolean
      readonly offers: readonly Offer[]
    }
  | {
      readonly type: 'answer'
      readonly swarm: string
      readonly peer: string
      readonly to: string
      readonly answer: Offer
    }
  | { readonly type: 'scrape'; readonly swarms: readonly string[] }

/** Throws a ProtocolError. An offer that is none is left out, and the rest of the message counts. */
export function parseToAnnounce(text: string): ToAnnounce {
  const message = parseObject(text)
  if (message['action'] === 'announce') return parseAnnounce(message)
  if (message['action'] === 'scrape') return { type: 'scrape', swarms: parseHashes(message['info_hash']) }
  throw new ProtocolError('malformed', 'Cannot read message: the action is neither announce nor scrape')
}

function parseAnnounce(message: Fields): ToAnnounce {
  const [swarm, peer] = [binaryId(message, 'info_hash'), binaryId(message, 'peer_id')]
  if (message['answer'] !== undefined && message['answer'] !== null) {
    const answer = parseOffer(message['answer'], 'answer', message['offer_id'])
    if (answer === undefined) throw new ProtocolError('malformed', 'Cannot read answer: not a session description')
    return { type: 'answer', swarm, peer, to: binaryId(message, 'to_peer_id'), answer }
  }
  const left = message['left']
  // Of an object that says it is a number, `Number` would throw what is no fault of protocol.
  const isComplete = (typeof left === 'number' || typeof left === 'string') && Number(left) === 0
  return { type: 'announce', swarm, peer, event: eventOf(message['event']), isComplete, offers: parseOffers(message) }
}

function parseOffers({ offers, numwant }: Fields): Offer[] {
  if (!Array.isArray(offers)) return []
  const wanted = typeof numwant === 'number' && numwant >= 0 ? Math.min(numwant, announceOffers) : announceOffers
  return offers
    .slice(0, announceOffers)
    .flatMap((entry: unknown) => {
      const offer = isObject(entry) ? parseOffer(entry['offer'], 'offer', entry['offer_id']) : undefined
      return offer ? [offer] : []
    })
    .slice(0, wanted)
}

function parseOffer(description: unknown, type: string, id: unknown): Offer | undefined {
  if (!isObject(description) || description['type'] !== type || typeof description['sdp'] !== 'string') return undefined
  return isBinaryId(id) ? { id, sdp: description['sdp'] } : undefined
}

function eventOf(event: unknown): 'started' | 'completed' | 'stopped' | 'update' {
  switch (event) {
    case 'started':
    case 'completed':
    case 'stopped':
    case 'update':
      return event
    case undefined:
    case null:
    case '':
    case 'empty':
    case 'paused':
      return 'update'
    default:
      throw new ProtocolError('malformed', 'Cannot read announce: an event that nobody knows')
  }
}

/** Without a hash one would learn of every swarm there is. */
function parseHashes(hashes: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(hashes) ? hashes : [hashes]
  if (list.length > scrapeHashes) throw new ProtocolError('oversized', 'Cannot read scrape: too many hashes')
  return list.map((hash) => {
    if (isBinaryId(hash)) return hash
    throw new ProtocolError('malformed', 'Cannot read scrape: info_hash is not 20 bytes')
  })
}

type Fields = Readonly<Record<string, unknown>>

function parseObject(text: string): Fields {
  if (text.length > announceMessageBytes) throw new ProtocolError('oversized', 'Cannot read message: too long')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new ProtocolError('malformed', 'Cannot read message: not JSON', { cause })
  }
  if (!isObject(value)) throw new ProtocolError('malformed', 'Cannot read message: not an object')
  return value
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function binaryId(message: Fields, name: string): string {
  const id = message[name]
  if (isBinaryId(id)) return id
  throw new ProtocolError('malformed', `Cannot read announce: ${name} is not 20 bytes`)
}

function isBinaryId(id: unknown): id is string {
  // oxlint-disable-next-line no-control-regex -- the characters stand for bytes
  return typeof id === 'string' && /^[\0-\xff]{20}$/.test(id)
}
