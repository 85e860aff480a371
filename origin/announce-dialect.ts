import { ProtocolError } from '../protocol/errors.ts'
import { announceMessageBytes } from '../protocol/limits.ts'
import type { AnnounceTracker } from './announce.ts'
import type { CheckPass } from './check-pass.ts'
import type { Dialect } from './dialect.ts'

/** Where foreign clients announce. @param base of the site */
export function announcePath(base: string): string {
  return `${base}announce`
}

export interface AnnounceDialectOptions {
  /** The site's. */
  readonly base: string
  /** Undefined where anybody may announce; else each client names its pass in the query: `?pass=…`. */
  readonly checkPass: CheckPass | undefined
  /** Seconds since 1970. */
  readonly now: () => number
}

/** The WebTorrent protocol, at `/announce`. */
export function createAnnounceDialect(
  tracker: AnnounceTracker,
  { base, checkPass, now }: AnnounceDialectOptions,
): Dialect {
  return {
    path: announcePath(base),
    messageBytes: announceMessageBytes,
    // Whoever is no browser could name any origin; where passes are asked for, they say who belongs here.
    takesNoOrigin: true,
    open: (id, visitor, query) => {
      const pass = query.get('pass')
      if (checkPass && pass === null) throw new ProtocolError('untrusted', 'Cannot announce: no pass')
      tracker.open(id, { ...visitor, fingerprint: checkPass?.(pass ?? '', now()).fingerprint })
      return []
    },
    receive: (id, text) => tracker.receive(id, text),
    close: (id) => tracker.close(id),
    hasJoined: (id) => tracker.hasJoined(id),
    farewell: () => undefined,
  }
}
