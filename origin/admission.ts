import type { IncomingMessage } from 'node:http'
import type { BlockList } from 'node:net'
import {
  trackerAddresses,
  trackerConnections,
  trackerConnectionsPerAddress,
  trackerConnectsPerSecond,
} from '../protocol/limits.ts'
import { addressGroup, clientAddress, isUnknownProxy } from './client-address.ts'
import { TokenBucket } from './token-bucket.ts'

/** Those of one address, or of one household with IPv6. */
export interface Group {
  connections: number
  /** Of new connections: to come and go costs us more than it costs them. */
  readonly bucket: TokenBucket
}

export interface AdmissionOptions {
  readonly proxies: BlockList
  readonly now: () => number
  readonly log: (line: string) => void
}

/** Says who may connect: so many in all, so many of one address, and so many a second. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #groups = new Map<string, Group>()
  #connections = 0
  #isProxyNoticed = false

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  /** The client's address and group, or the status with which it is refused. */
  admit(request: IncomingMessage): { readonly address: string; readonly group: Group } | string {
    const address = clientAddress(request, this.#options.proxies)
    this.#noticeProxy(request)
    const group = this.#groupOf(address)
    if (group === undefined || this.#connections >= trackerConnections) return '503 Service Unavailable'
    if (!group.bucket.take(this.#options.now()) || group.connections >= trackerConnectionsPerAddress) {
      return '429 Too Many Requests'
    }
    return { address, group }
  }

  enter(group: Group): void {
    group.connections += 1
    this.#connections += 1
  }

  leave(group: Group): void {
    group.connections -= 1
    this.#connections -= 1
  }

  /** Forgets addresses that nobody uses any more. */
  sweep(): void {
    const now = this.#options.now()
    for (const [name, { connections, bucket }] of this.#groups) {
      if (connections === 0 && bucket.isFull(now)) this.#groups.delete(name)
    }
  }

  /** Without the addresses behind a proxy, all visitors look like one, who is not led to himself. Told once. */
  #noticeProxy(request: IncomingMessage): void {
    if (this.#isProxyNoticed || !isUnknownProxy(request, this.#options.proxies)) return
    this.#isProxyNoticed = true
    const address = request.socket.remoteAddress ?? ''
    this.#options.log(`A proxy at ${address} is not trusted: visitors look like one and cannot meet (--trust-proxy)`)
  }

  /** Undefined where too many are remembered already. */
  #groupOf(address: string): Group | undefined {
    const name = addressGroup(address)
    const known = this.#groups.get(name)
    if (known || this.#groups.size >= trackerAddresses) return known
    const bucket = new TokenBucket(trackerConnectionsPerAddress, trackerConnectsPerSecond, this.#options.now())
    const group = { connections: 0, bucket }
    this.#groups.set(name, group)
    return group
  }
}
