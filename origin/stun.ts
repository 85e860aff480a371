import type { Bytes } from '../protocol/bytes.ts'

/** Where a datagram came from, as the socket says. */
export interface UdpAddress {
  /** IPv4 or IPv6; an IPv4 address mapped into IPv6 counts as IPv4. */
  readonly address: string
  readonly port: number
}

const headerBytes = 20
const requestLimitBytes = 548 // RFC 8489 section 6.1: what fits every IPv4 path
const magicCookie = 0x2112a442
const bindingRequest = 0x0001
const bindingSuccess = 0x0101
const xorMappedAddress = 0x0020

/**
 * The answer to a STUN Binding request (RFC 8489): the sender's address as seen from here. Undefined for all else,
 * and for requests that want credentials or extensions, so that nothing but this one question is ever answered.
 */
export function answerStun(datagram: Uint8Array, from: UdpAddress): Bytes | undefined {
  const transaction = readBindingRequest(datagram)
  const address = addressBytes(from.address)
  // Nobody listens on port 0 (RFC 6335 section 6): only a forged datagram comes from there.
  if (transaction === undefined || address === undefined || from.port === 0) return undefined
  const answer = new Uint8Array(headerBytes + 8 + address.length)
  const view = new DataView(answer.buffer)
  view.setUint16(0, bindingSuccess)
  view.setUint16(2, 8 + address.length)
  view.setUint32(4, magicCookie)
  answer.set(transaction, 8)
  view.setUint16(20, xorMappedAddress)
  view.setUint16(22, 4 + address.length)
  view.setUint8(25, address.length === 4 ? 1 : 2)
  view.setUint16(26, from.port ^ (magicCookie >>> 16))
  // Section 14.2: XOR with the cookie, then the transaction id, hides the address from meddling routers.
  for (const [at, byte] of address.entries()) answer[28 + at] = byte ^ (answer[4 + at] ?? 0)
  return answer
}

/** The transaction id of a well-formed Binding request without attributes that must be understood. */
function readBindingRequest(datagram: Uint8Array): Uint8Array | undefined {
  if (datagram.length < headerBytes || datagram.length > requestLimitBytes) return undefined
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  if (view.getUint16(0) !== bindingRequest || view.getUint32(4) !== magicCookie) return undefined
  if (view.getUint16(2) !== datagram.length - headerBytes || datagram.length % 4 !== 0) return undefined
  for (let at = headerBytes; at < datagram.length;) {
    const isRequired = view.getUint16(at) < 0x8000
    const next = at + 4 + Math.ceil(view.getUint16(at + 2) / 4) * 4
    if (isRequired || next > datagram.length) return undefined
    at = next
  }
  return datagram.subarray(8, headerBytes)
}

function addressBytes(text: string): Uint8Array | undefined {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  if (!address.includes(':')) {
    const parts = address.split('.').map(Number)
    return parts.length === 4 && parts.every((part) => part >= 0 && part <= 255) ? Uint8Array.from(parts) : undefined
  }
  const halves = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const [before = [], after = []] = halves
  const gap = halves.length === 2 ? 8 - before.length - after.length : 0
  const groups = [...before, ...Array.from({ length: Math.max(0, gap) }, () => '0'), ...after]
  if (halves.length > 2 || groups.length !== 8) return undefined
  const bytes = new Uint8Array(16)
  for (const [at, group] of groups.entries()) new DataView(bytes.buffer).setUint16(at * 2, Number.parseInt(group, 16))
  return bytes
}
