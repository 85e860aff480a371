import { createHmac } from 'node:crypto'
import * as v from 'valibot'
import type { Bytes } from '../protocol/bytes.ts'
import type { SwarmId } from '../protocol/ids.ts'
import { swarmIdSchema } from '../protocol/ids.ts'
import type { IceServer, JoinResponse } from '../protocol/join.ts'
import { iceServerLimit, passRenewSeconds } from '../protocol/limits.ts'

const daySeconds = 86_400

/** Swarm ids change with the UTC day, so that no list of them is worth keeping. @param now seconds since 1970 */
function epochOf(now: number): number {
  return Math.floor(now / daySeconds)
}

function swarmIdOf(secret: Bytes, section: string, epoch: number): SwarmId {
  const digest = createHmac('sha256', secret).update(`${epoch}\n${section}`).digest('hex')
  return v.parse(swarmIdSchema, digest.slice(0, 32))
}

/** What a visitor joins now, but for the pass. @param now seconds since 1970 */
export function planJoin(
  secret: Bytes,
  sections: readonly string[],
  now: number,
  options: Pick<JoinResponse, 'iceServers' | 'lan' | 'relay'>,
): Omit<JoinResponse, 'pass'> {
  const epoch = epochOf(now)
  return {
    swarms: sections.map((section) => ({ section, swarm: swarmIdOf(secret, section, epoch) })),
    iceServers: options.iceServers.slice(0, iceServerLimit),
    lan: options.lan,
    ...(options.relay === true && { relay: true }),
    renewSeconds: Math.min(passRenewSeconds, Math.max(1, (epoch + 1) * daySeconds - Math.floor(now))),
  }
}

/** The swarms that may be joined: of this day, and of its neighbours for pages that are behind or clocks that differ. */
export class OpenSwarms {
  readonly #secret: () => Bytes | undefined
  #last: Bytes | undefined
  #epoch = -1
  #sections: readonly string[] = []
  #open: ReadonlyMap<SwarmId, string> = new Map()

  /** @param secret the one of now; none: this machine lets nobody join */
  constructor(secret: () => Bytes | undefined) {
    this.#secret = secret
  }

  /** The section of a swarm that may be joined. @param now seconds since 1970 */
  sectionOf(swarm: SwarmId, sections: readonly string[], now: number): string | undefined {
    const secret = this.#secret()
    const epoch = epochOf(now)
    const isOther = epoch !== this.#epoch || sections !== this.#sections || secret !== this.#last
    if (secret !== undefined && isOther) {
      const epochs = [epoch - 1, epoch, epoch + 1]
      this.#open = new Map(
        sections.flatMap((section) => epochs.map((day) => [swarmIdOf(secret, section, day), section] as const)),
      )
      this.#epoch = epoch
      this.#last = secret
      this.#sections = sections
    }
    return this.#open.get(swarm)
  }
}

/**
 * Our own STUN server as visitors reach it: by the host that they asked. None where it listens on this machine alone
 * and the visitor asked by another name, as through a proxy.
 *
 * @param host what it listens on; undefined is every address
 */
export function stunServersOf(requestUrl: string, port: number, host: string | undefined): readonly IceServer[] {
  const { hostname } = new URL(requestUrl)
  if (host !== undefined && isLoopbackHost(host) && !isLoopbackHost(hostname)) return []
  return [{ urls: [`stun:${hostname}:${port}`] }]
}

/** Whether a page is at this machine's own name, where visitors can be but tabs and profiles of one device. */
export function isLocalPage(url: string): boolean {
  return URL.canParse(url) && isLoopbackHost(new URL(url).hostname)
}

/** Names and addresses of a machine for itself (RFC 6761 section 6.3). */
export function isLoopbackHost(host: string): boolean {
  return /^(?:(?:.+\.)?localhost|127(?:\.\d+){3}|::1|\[::1\])$/i.test(host)
}
