import type { PeerId } from '../protocol/ids.ts'
import type { TrackerFault } from '../protocol/tracker-wire.ts'
import type { Visitor } from './tracker.ts'

/** What the edge is to do: send a text, or end a connection. */
export type TextEffect = { readonly to: PeerId; readonly text: string } | { readonly close: PeerId }

/** A language of trackers: what the edge carries texts for. */
export interface Dialect {
  /** Of its sockets. */
  readonly path: string
  /** The longest message that it takes. */
  readonly messageBytes: number
  /** Whether a client may leave Origin out, as programs that are no browsers do. */
  readonly takesNoOrigin: boolean
  /** Takes a new connection under a fresh id. Throws a ProtocolError where it is to be closed. */
  open(id: PeerId, visitor: Visitor, query: URLSearchParams): readonly TextEffect[]
  /** Throws a ProtocolError where the connection is to be closed. */
  receive(id: PeerId, text: string): readonly TextEffect[]
  close(id: PeerId): void
  /** Whether it said what it is here for. */
  hasJoined(id: PeerId): boolean
  /** What one is told who is let go, if anything. */
  farewell(fault: TrackerFault): string | undefined
}
