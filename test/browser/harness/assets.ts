import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'

const KIB = 1024

/** The same bytes for the same seed, and nothing that a compressor could shorten (Marsaglia's xorshift32). */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = (seed * 0x9e3779b9) >>> 0 || 1
  for (let at = 0; at < length; at += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state & 0xff
  }
  return bytes
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The files of the test site by path: every size at which chunks, lists and spans begin to differ. */
export function makeAssets(clip: Uint8Array): ReadonlyMap<string, Uint8Array> {
  return new Map<string, Uint8Array>([
    ['/images/small.png', png(20 * KIB, 1)],
    ['/images/one-chunk.png', png(64 * KIB, 2)],
    ['/images/chunk-and-byte.png', png(64 * KIB + 1, 3)],
    ['/images/middle.png', png(300 * KIB + 17, 4)],
    ['/images/large.png', png(2 * KIB * KIB, 5)],
    ['/files/empty.bin', new Uint8Array(0)],
    ['/files/spans.bin', noise(9 * KIB * KIB + 333, 6)],
    ['/scripts/app.js', script(120 * KIB)],
    ['/media/clip.mp4', clip],
    ['/private/outside.png', png(70 * KIB, 7)],
  ])
}

/** A picture that every browser shows, of exactly that many bytes: a private chunk carries the rest. */
function png(size: number, seed: number): Buffer {
  const header = Buffer.from('0000000800000008080200000000', 'hex').subarray(0, 13)
  const rows = Buffer.concat(
    Array.from({ length: 8 }, (_, row) => Buffer.concat([Buffer.of(0), noise(24, seed + row)])),
  )
  const head = Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(rows)),
  ])
  const tail = pngChunk('IEND', Buffer.alloc(0))
  const filling = pngChunk('nhPd', noise(size - head.length - tail.length - 12, seed))
  return Buffer.concat([head, filling, tail])
}

function pngChunk(type: string, body: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const chunk = Buffer.alloc(named.length + 8)
  chunk.writeUInt32BE(body.length, 0)
  named.copy(chunk, 4)
  chunk.writeUInt32BE(crc32(named), named.length + 4)
  return chunk
}

/** Text that compresses well, so that an origin that compresses does. */
function script(size: number): Buffer {
  const line = 'globalThis.appLines = (globalThis.appLines ?? 0) + 1 // a line like all the others\n'
  const whole = line.repeat(Math.floor(size / line.length))
  return Buffer.from(whole.padEnd(size, ' '))
}
