import { ProtocolError } from './errors.ts'

/** Bytes that own a plain ArrayBuffer, so that they can be transferred, hashed and put into a Response. */
export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

export function utf8(text: string): Bytes {
  return encoder.encode(text)
}

/** Strict: bytes that are no UTF-8 are refused instead of being replaced. */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (cause) {
    throw new ProtocolError('malformed', 'Cannot read text: not UTF-8', { cause })
  }
}

export function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** Lower-case hex only, so that one value has one spelling. */
export function bytesOfHex(text: string): Bytes {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new ProtocolError('malformed', 'Cannot read hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(at * 2, at * 2 + 2), 16)
  return bytes
}

/** Base64 with padding (RFC 4648 section 4). */
export function base64Of(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}

/** Canonical base64 with padding only: stray bits, spaces and missing padding are refused. */
export function bytesOfBase64(text: string): Bytes {
  let bytes: Bytes
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch (cause) {
    throw new ProtocolError('malformed', 'Cannot read base64', { cause })
  }
  if (base64Of(bytes) !== text) throw new ProtocolError('malformed', 'Cannot read base64: not canonical')
  return bytes
}

export function concatBytes(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export function isSameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, at) => byte === other[at])
}

/** Reads big-endian numbers and slices in order; every read past the end is a ProtocolError. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2))
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4))
  }

  /** An unsigned 64-bit number that fits a JavaScript integer. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#advance(8))
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new ProtocolError('malformed', 'Cannot read number: over 2^53')
    return Number(value)
  }

  /** A view, not a copy. */
  take(length: number): Uint8Array {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  rest(): Uint8Array {
    return this.take(this.left)
  }

  /** Refuses what was not read, so that one value has one encoding. */
  end(): void {
    if (this.left !== 0) throw new ProtocolError('malformed', `Cannot read frame: ${this.left} bytes too many`)
  }

  #advance(length: number): number {
    const start = this.#at
    if (length > this.left) throw new ProtocolError('malformed', 'Cannot read frame: it ends early')
    this.#at += length
    return start
  }
}

/** Writes big-endian numbers and bytes into a buffer whose exact size is known before. */
export class ByteWriter {
  readonly bytes: Bytes
  readonly #view: DataView
  #at = 0

  constructor(length: number) {
    this.bytes = new Uint8Array(length)
    this.#view = new DataView(this.bytes.buffer)
  }

  u8(value: number): this {
    this.#view.setUint8(this.#advance(1), value)
    return this
  }

  u16(value: number): this {
    this.#view.setUint16(this.#advance(2), value)
    return this
  }

  u32(value: number): this {
    this.#view.setUint32(this.#advance(4), value)
    return this
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#advance(8), BigInt(value))
    return this
  }

  put(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#advance(bytes.length))
    return this
  }

  #advance(length: number): number {
    const start = this.#at
    this.#at += length
    return start
  }
}
