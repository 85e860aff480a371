/** What is remembered on this device, for all pages of the site. */
export interface Memory {
  get(key: MemoryKey): string | undefined
  set(key: MemoryKey, value: string | undefined): void
}

export type MemoryKey = 'consent' | 'off' | 'day' | 'bans' | 'peers'

/**
 * Keeps each value in the first of these storages that takes it; where none does, for this page only.
 * @param base the site's folder: its neighbours on the same host have choices of their own
 */
export function createMemory(storages: readonly (() => Storage)[], base: string): Memory {
  const held = new Map<MemoryKey, string>()
  const nameOf = (key: MemoryKey): string => `nearhand-${key} ${base}`
  return {
    get(key) {
      let value = held.get(key)
      for (const storage of storages.toReversed())
        attempt(() => (value ??= storage().getItem(nameOf(key)) ?? undefined))
      return value
    },
    set(key, value) {
      held.delete(key)
      let left = value
      for (const storage of storages) {
        const text = left
        if (text !== undefined && attempt(() => storage().setItem(nameOf(key), text))) left = undefined
        // What was said before must not outlive the word that takes its place.
        else attempt(() => storage().removeItem(nameOf(key)))
      }
      if (left !== undefined) held.set(key, left)
    },
  }
}

/** Whether the step could be done: not where cookies are blocked, or the storage is full. */
function attempt(step: () => void): boolean {
  try {
    step()
    return true
  } catch {
    return false
  }
}
