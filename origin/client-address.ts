import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { isLoopbackHost } from './join.ts'

interface Connected extends Pick<IncomingMessage, 'headers'> {
  readonly socket: { readonly remoteAddress?: string | undefined }
}

/** @param proxies addresses or CIDR ranges. Throws a TypeError where one is neither. */
export function trustedProxyList(proxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of proxies) {
    const [address = '', prefix] = entry.split('/')
    const version = isIP(address)
    const bits = prefix === undefined ? (version === 6 ? 128 : 32) : Number(prefix)
    if (version === 0 || !Number.isInteger(bits) || bits < 0 || bits > (version === 6 ? 128 : 32)) {
      throw new TypeError(
        `Cannot trust proxy ${JSON.stringify(entry)}: neither an address nor a range such as 10.0.0.0/8`,
      )
    }
    list.addSubnet(address, bits, familyOf(address))
  }
  return list
}

/**
 * The visitor's address. X-Forwarded-For is read from its end, as far as our own proxies wrote it: what stands
 * before the first address that is none of them is the visitor's own invention.
 */
export function clientAddress(request: Connected, proxies: BlockList): string {
  let address = plain(request.socket.remoteAddress ?? '')
  const forwarded = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
  for (const entry of forwarded.reverse()) {
    const next = plain(entry.trim().replace(/^\[(.*)\](?::\d+)?$/, '$1'))
    if (isIP(address) === 0 || !proxies.check(address, familyOf(address)) || isIP(next) === 0) return address
    address = next
  }
  return address
}

/** Whether a program on this machine passes on what others ask, and is not among our proxies. */
export function isUnknownProxy(request: Connected, proxies: BlockList): boolean {
  const address = plain(request.socket.remoteAddress ?? '')
  if (request.headers['x-forwarded-for'] === undefined || isIP(address) === 0) return false
  return isLoopbackHost(address) && !proxies.check(address, familyOf(address))
}

/** Where connections are counted: one IPv4 address, or the /64 that a provider gives to one household. */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address
  const [before = '', after] = address.split('::')
  const groups = before === '' ? [] : before.split(':')
  if (after !== undefined) while (groups.length < 4) groups.push('0')
  return groups.slice(0, 4).join(':')
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
