import { trackerFile } from '../protocol/join.ts'
import { trackerMessageBytes } from '../protocol/limits.ts'
import { manifestFolder } from '../protocol/manifest.ts'
import type { FromTracker } from '../protocol/tracker-wire.ts'
import { parseToTracker } from '../protocol/tracker-wire.ts'
import type { Dialect, TextEffect } from './dialect.ts'
import type { Effect, Tracker } from './tracker.ts'

/** Where the tracker is for our own clients. @param base of the site */
export function trackerPath(base: string): string {
  return `${base}${manifestFolder}/${trackerFile}`
}

/** Our own messages. @param base of the site */
export function createOwnDialect(tracker: Tracker, base: string): Dialect {
  return {
    path: trackerPath(base),
    messageBytes: trackerMessageBytes,
    takesNoOrigin: false,
    open: (id, visitor) => textsOf(tracker.open(id, visitor)),
    receive: (id, text) => textsOf(tracker.receive(id, parseToTracker(text))),
    close: (id) => tracker.close(id),
    hasJoined: (id) => tracker.hasJoined(id),
    farewell: (fault) => textOf({ type: 'fault', fault }),
  }
}

/** One text for all that are told the same. */
export function textsOf(effects: readonly Effect[]): TextEffect[] {
  let [last, text]: [FromTracker | undefined, string] = [undefined, '']
  return effects.map(({ to, message }) => {
    if (message !== last) [last, text] = [message, textOf(message)]
    return { to, text }
  })
}

function textOf(message: FromTracker): string {
  return JSON.stringify(message)
}
