/** What is remembered of the visitor's choices, for all pages of the site. */
export interface Memory {
  get(key: MemoryKey): string | undefined
  set(key: MemoryKey, value: string | undefined): void
}

export type MemoryKey = 'nearhand-consent' | 'nearhand-off'

/** Keeps them in localStorage; where the browser refuses that, for this page only. */
export function createMemory(storage: () => Storage): Memory {
  const fallback = new Map<MemoryKey, string>()
  return {
    get(key) {
      try {
        return storage().getItem(key) ?? undefined
      } catch {
        return fallback.get(key)
      }
    },
    set(key, value) {
      if (value === undefined) fallback.delete(key)
      else fallback.set(key, value)
      try {
        if (value === undefined) storage().removeItem(key)
        else storage().setItem(key, value)
      } catch {
        // Cookies are blocked, or the storage is full: the choice holds until the page is left.
      }
    },
  }
}
