import type { Bytes } from './bytes.ts'
import { ByteReader, ByteWriter, bytesOfHex, concatBytes, hexOf, textOf, utf8 } from './bytes.ts'
import { ProtocolError } from './errors.ts'
import { contentIdOfDigest, sha256 } from './hash.ts'
import type { ContentId, PeerId, SwarmId } from './ids.ts'
import {
  chunkLimit,
  chunksPerMap,
  frameLimitBytes,
  haveEntriesPerFrame,
  mapScaleLimit,
  maxChunkBytes,
  pageLimit,
  passLimitBytes,
  swarmsPerPeer,
  unitBytes,
  wordLimitBytes,
} from './limits.ts'

/*
 * Frames between two browsers, one per message of an ordered reliable data channel. Numbers are big-endian, ids raw.
 * Both sides send `hello` first and nothing else before they have the other's. The asker paces: a unit is at most
 * 16 KiB, and only what was asked for may be sent. `docs/protocol.md` shows every byte.
 */
export const peerWireVersion = 1
export const channelLabel = 'nearhand'

/** First half of a swarm's proof or an asset's short name: 8 bytes as 16 hex digits. */
export type ShortId = string
export type HaveState = 'gone' | 'whole' | 'part'

export interface HaveEntry {
  /** The first 8 bytes of the content id. */
  readonly id: ShortId
  readonly state: HaveState
}

/**
 * `length` bytes from `offset` of one chunk of an asset, or of its chunk list (index 0xffffffff), or of page n of the list
 * (index 0xfffffffe - n); or of a bin or index page (index 0xfffffefe), whose id stands for the asset's and whose length the
 * asker does not know: the answer to its last unit is short, or `absent` where there is nothing left.
 */
export interface Want {
  readonly type: 'want'
  readonly request: number
  readonly asset: ContentId
  readonly index: number
  readonly offset: number
  readonly length: number
}

export type PeerFrame =
  /** `proofs` name the swarms that the sender is in, readable only by who is in them too; `pass` says that it may be. */
  | { readonly type: 'hello'; readonly version: number; readonly proofs: readonly ShortId[]; readonly pass: string }
  /** A newer pass, before the one before it ends. */
  | { readonly type: 'pass'; readonly pass: string }
  /** The signed fresh that the sender believes, as text: two that contradict each other come to light where visitors meet. */
  | { readonly type: 'word'; readonly envelope: string }
  /** What the sender holds in the swarm with this proof; `reset` begins the list anew. */
  | { readonly type: 'have'; readonly proof: ShortId; readonly reset: boolean; readonly entries: readonly HaveEntry[] }
  /** Asks for the chunk map of a partial asset, now and as it grows. */
  | { readonly type: 'interest'; readonly asset: ContentId }
  /**
   * One bit for each 2^`scale` chunks, set where all of them are held: the first in the highest bit of the first byte;
   * bits after the last are zero.
   */
  | {
      readonly type: 'map'
      readonly asset: ContentId
      readonly scale: number
      readonly count: number
      readonly bits: Uint8Array
    }
  | Want
  | { readonly type: 'data'; readonly request: number; readonly bytes: Uint8Array }
  /** Not now: the queue is full or the upload limit reached. */
  | { readonly type: 'busy'; readonly request: number; readonly retryAfterMs: number }
  /** Unknown, not held, revoked, out of scope: one word for all. */
  | { readonly type: 'absent'; readonly request: number }
  | { readonly type: 'cancel'; readonly request: number }

/** Places in a list, which count from its top, stand in a want as the numbers of the bridge do: as u32. */
export function indexOnWire(index: number): number {
  return index >>> 0
}

export const listIndexOnWire = 0xffffffff
/** A bin or index page, whose id stands in the place of an asset's. */
export const partIndexOnWire: number = listIndexOnWire - 1 - pageLimit

/** Which page of the chunk list an index means; undefined where it means something else. */
export function pageOfIndexOnWire(index: number): number | undefined {
  const page = listIndexOnWire - 1 - index
  return page >= 0 && page < pageLimit ? page : undefined
}

const magic = 0x4e48 // "NH"
const code = {
  hello: 1,
  have: 2,
  interest: 3,
  map: 4,
  want: 5,
  data: 6,
  busy: 7,
  absent: 8,
  cancel: 9,
  pass: 10,
  word: 11,
} as const
const stateCode = { gone: 0, whole: 1, part: 2 } as const
const stateNames: readonly HaveState[] = ['gone', 'whole', 'part']
const shortBytes = 8
const idBytes = 32

export function encodeFrame(frame: PeerFrame): Bytes {
  switch (frame.type) {
    case 'hello': {
      const pass = utf8(frame.pass)
      const writer = new ByteWriter(7 + frame.proofs.length * shortBytes + pass.length)
      writer.u8(code.hello).u16(magic).u8(frame.version).u8(frame.proofs.length)
      for (const proof of frame.proofs) writer.put(bytesOfHex(proof))
      return writer.u16(pass.length).put(pass).bytes
    }
    case 'pass': {
      const pass = utf8(frame.pass)
      return new ByteWriter(3 + pass.length).u8(code.pass).u16(pass.length).put(pass).bytes
    }
    case 'word': {
      const envelope = utf8(frame.envelope)
      return new ByteWriter(3 + envelope.length).u8(code.word).u16(envelope.length).put(envelope).bytes
    }
    case 'have': {
      const writer = new ByteWriter(12 + frame.entries.length * (shortBytes + 1))
      writer
        .u8(code.have)
        .put(bytesOfHex(frame.proof))
        .u8(frame.reset ? 1 : 0)
        .u16(frame.entries.length)
      for (const entry of frame.entries) writer.put(bytesOfHex(entry.id)).u8(stateCode[entry.state])
      return writer.bytes
    }
    case 'interest':
      return new ByteWriter(1 + idBytes).u8(code.interest).put(bytesOfHex(frame.asset)).bytes
    case 'map': {
      const writer = new ByteWriter(1 + idBytes + 3 + frame.bits.length)
      writer.u8(code.map).put(bytesOfHex(frame.asset))
      return writer.u8(frame.scale).u16(frame.count).put(frame.bits).bytes
    }
    case 'want': {
      const writer = new ByteWriter(1 + 4 + idBytes + 4 + 4 + 4)
      writer.u8(code.want).u32(frame.request).put(bytesOfHex(frame.asset))
      return writer.u32(frame.index).u32(frame.offset).u32(frame.length).bytes
    }
    case 'data':
      return new ByteWriter(5 + frame.bytes.length).u8(code.data).u32(frame.request).put(frame.bytes).bytes
    case 'busy':
      return new ByteWriter(7).u8(code.busy).u32(frame.request).u16(frame.retryAfterMs).bytes
    case 'absent':
      return new ByteWriter(5).u8(code.absent).u32(frame.request).bytes
    case 'cancel':
      return new ByteWriter(5).u8(code.cancel).u32(frame.request).bytes
  }
}

/** Reads one frame of a peer, or throws a ProtocolError, whatever the bytes are. */
export function parseFrame(bytes: Uint8Array): PeerFrame {
  if (bytes.length > frameLimitBytes) throw new ProtocolError('oversized', 'Cannot read frame: over its limit')
  const reader = new ByteReader(bytes)
  const frame = readFrame(reader)
  reader.end()
  return frame
}

function readFrame(reader: ByteReader): PeerFrame {
  const type = reader.u8()
  switch (type) {
    case code.hello:
      return readHello(reader)
    case code.pass:
      return { type: 'pass', pass: readPass(reader) }
    case code.word: {
      const length = reader.u16()
      if (length > wordLimitBytes) throw new ProtocolError('oversized', `Cannot read word: ${length} bytes`)
      return { type: 'word', envelope: textOf(reader.take(length)) }
    }
    case code.have:
      return readHave(reader)
    case code.interest:
      return { type: 'interest', asset: readId(reader) }
    case code.map:
      return readMap(reader)
    case code.want:
      return readWant(reader)
    case code.data: {
      const request = reader.u32()
      if (reader.left === 0 || reader.left > unitBytes) {
        throw new ProtocolError('malformed', `Cannot read data: ${reader.left} bytes in one unit`)
      }
      return { type: 'data', request, bytes: reader.rest() }
    }
    case code.busy:
      return { type: 'busy', request: reader.u32(), retryAfterMs: reader.u16() }
    case code.absent:
      return { type: 'absent', request: reader.u32() }
    case code.cancel:
      return { type: 'cancel', request: reader.u32() }
    default:
      throw new ProtocolError('unsupported', `Cannot read frame: unknown type ${type}`)
  }
}

function readHello(reader: ByteReader): PeerFrame {
  if (reader.u16() !== magic) throw new ProtocolError('malformed', 'Cannot read hello: no NH')
  const version = reader.u8()
  if (version !== peerWireVersion) throw new ProtocolError('unsupported', `Cannot read hello: version ${version}`)
  const count = reader.u8()
  if (count > swarmsPerPeer) throw new ProtocolError('oversized', `Cannot read hello: ${count} swarms`)
  const proofs: ShortId[] = []
  for (let left = count; left > 0; left -= 1) proofs.push(hexOf(reader.take(shortBytes)))
  return { type: 'hello', version, proofs, pass: readPass(reader) }
}

function readPass(reader: ByteReader): string {
  const length = reader.u16()
  if (length > passLimitBytes) throw new ProtocolError('oversized', `Cannot read pass: ${length} bytes`)
  return textOf(reader.take(length))
}

function readHave(reader: ByteReader): PeerFrame {
  const proof = hexOf(reader.take(shortBytes))
  const reset = reader.u8()
  if (reset > 1) throw new ProtocolError('malformed', 'Cannot read have: flag')
  const count = reader.u16()
  if (count > haveEntriesPerFrame) throw new ProtocolError('oversized', `Cannot read have: ${count} entries`)
  const entries: HaveEntry[] = []
  for (let left = count; left > 0; left -= 1) {
    const id = hexOf(reader.take(shortBytes))
    const state = stateNames[reader.u8()]
    if (state === undefined) throw new ProtocolError('malformed', 'Cannot read have: unknown state')
    entries.push({ id, state })
  }
  return { type: 'have', proof, reset: reset === 1, entries }
}

function readMap(reader: ByteReader): PeerFrame {
  const asset = readId(reader)
  const scale = reader.u8()
  if (scale > mapScaleLimit) throw new ProtocolError('malformed', `Cannot read map: scale ${scale}`)
  const count = reader.u16()
  if (count > chunksPerMap) throw new ProtocolError('oversized', `Cannot read map: ${count} bits`)
  const bits = reader.take(Math.ceil(count / 8))
  if (count % 8 !== 0 && ((bits.at(-1) ?? 0) & (0xff >> (count % 8))) !== 0) {
    throw new ProtocolError('malformed', 'Cannot read map: a bit after the last chunk')
  }
  return { type: 'map', asset, scale, count, bits }
}

function readWant(reader: ByteReader): PeerFrame {
  const request = reader.u32()
  const asset = readId(reader)
  const index = reader.u32()
  const offset = reader.u32()
  const length = reader.u32()
  if (length < 1 || length > unitBytes || offset + length > maxChunkBytes) {
    throw new ProtocolError('malformed', `Cannot read want: ${length} bytes from ${offset}`)
  }
  const isChunk = index < chunkLimit || index === listIndexOnWire || pageOfIndexOnWire(index) !== undefined
  if (!isChunk && index !== partIndexOnWire) {
    throw new ProtocolError('malformed', `Cannot read want: chunk ${index}`)
  }
  return { type: 'want', request, asset, index, offset, length }
}

function readId(reader: ByteReader): ContentId {
  return contentIdOfDigest(reader.take(idBytes))
}

/**
 * Proves to a peer of the same swarm that the sender is in it, and tells nothing to others: the swarm id is a
 * secret between its members, and the proof holds for this sender alone.
 */
export async function swarmProof(swarm: SwarmId, sender: PeerId): Promise<ShortId> {
  const digest = await sha256(concatBytes([utf8('nearhand swarm '), bytesOfHex(swarm), bytesOfHex(sender)]))
  return hexOf(digest.subarray(0, shortBytes))
}

export function shortIdOf(id: ContentId): ShortId {
  return id.slice(0, shortBytes * 2)
}
