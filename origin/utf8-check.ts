import { isUtf8 } from 'node:buffer'
import type { FileHandle } from 'node:fs/promises'

/** Whether bytes that come piece by piece are UTF-8. What is not so from its first bytes on, costs no more than these. */
export class Utf8Check {
  /** The begin of a character whose end is in the next piece. */
  #rest: Uint8Array = new Uint8Array()
  #isGood = true

  take(piece: Uint8Array): void {
    if (!this.#isGood) return
    const bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    const end = bytes.length - unfinishedBytes(bytes)
    this.#isGood = isUtf8(bytes.subarray(0, end))
    // A copy: the caller may use its buffer again.
    this.#rest = Uint8Array.from(bytes.subarray(end))
  }

  /** Of all that was taken. */
  get isUtf8(): boolean {
    return this.#isGood && this.#rest.length === 0
  }

  get isFailed(): boolean {
    return !this.#isGood
  }
}

/** How many bytes at the end begin a character that is longer (RFC 3629 section 3). */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}

const pieceBytes = 64 * 1024

/** The same of an open file, read from its beginning; its own position stays. */
export async function isUtf8File(handle: FileHandle, size: number): Promise<boolean> {
  const check = new Utf8Check()
  const buffer = new Uint8Array(Math.min(pieceBytes, size))
  for (let at = 0; at < size && !check.isFailed;) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at)
    if (bytesRead === 0) break
    check.take(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  return check.isUtf8
}
