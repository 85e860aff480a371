import { isIPv4, isIPv6 } from 'node:net'

/** What ranges of addresses belong to, for one version of IP. A few megabytes for the whole internet. */
export class AddressTable {
  readonly #starts: Float64Array | Uint32Array
  readonly #values: Uint32Array

  /** @param starts where each range begins, ascending; it lasts to the next. @param values of each, 0 for nobody's */
  constructor(starts: Float64Array | Uint32Array, values: Uint32Array) {
    this.#starts = starts
    this.#values = values
  }

  /** 0 where nobody knows. */
  find(key: number): number {
    let [low, high] = [0, this.#starts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#starts[middle] ?? 0) <= key) low = middle + 1
      else high = middle
    }
    return this.#values[low - 1] ?? 0
  }
}

export interface AddressKey {
  readonly version: 4 | 6
  /** All 32 bits of an IPv4 address, the first 48 of an IPv6 one: a site of one customer (RFC 6177). */
  readonly key: number
}

/** Undefined where the text is no IP address. */
export function addressKey(address: string): AddressKey | undefined {
  if (isIPv4(address)) {
    return { version: 4, key: address.split('.').reduce((key, part) => key * 256 + Number(part), 0) }
  }
  if (!isIPv6(address)) return undefined
  const [before = '', after] = address.split('::')
  const groups = before === '' ? [] : before.split(':')
  const rest = after ? after.split(':') : []
  // An IPv4 address at the end stands for two groups.
  const restLength = rest.length + (rest.at(-1)?.includes('.') ? 1 : 0)
  if (after !== undefined) {
    const zeros = 8 - groups.length - restLength
    groups.push(...Array.from({ length: zeros }, () => '0'), ...rest)
  }
  const key = groups.slice(0, 3).reduce((sum, group) => sum * 65_536 + Number.parseInt(group, 16), 0)
  return { version: 6, key }
}
