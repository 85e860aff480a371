import { deviceWaitMs, storePauseMs } from '../protocol/limits.ts'
import { within } from './deadline.ts'
import type { KeptState } from './kept-state.ts'
import type { PartCache } from './parts.ts'
import type { StoreDisk } from './store.ts'

/** The device as the worker uses it. */
export interface Device {
  readonly store: StoreDisk
  readonly state: KeptState
  readonly parts: PartCache
}

/**
 * The device, with an end to waiting: a database that a page holds locked never answers, and no request may hang on
 * that. After one silence all of it fails at once for a while. Writes of the store, for which nobody waits, go on.
 */
export function impatient({ store, state, parts }: Device, now: () => number): Device {
  let silentUntil = 0
  const soon =
    <Args extends unknown[], Value>(work: (...args: Args) => Promise<Value>) =>
    async (...args: Args): Promise<Value> => {
      const answer = now() < silentUntil ? undefined : await within(deviceWaitMs, boxed(work(...args)))
      if (answer) return answer.value
      if (now() >= silentUntil) silentUntil = now() + storePauseMs
      throw new Error('Cannot use the device: it does not answer')
    }
  return {
    store: { ...store, getRow: soon((id) => store.getRow(id)), getFile: soon((key) => store.getFile(key)) },
    state: { load: soon((key) => state.load(key)), save: soon((key, value) => state.save(key, value)) },
    parts: {
      read: soon((id) => parts.read(id)),
      write: soon((id, bytes) => parts.write(id, bytes)),
      keepOnly: soon((ids) => parts.keepOnly(ids)),
    },
  }
}

async function boxed<Value>(promise: Promise<Value>): Promise<{ readonly value: Value }> {
  return { value: await promise }
}
