/** The part of the browser that is needed. */
export interface Persistence {
  persist(): Promise<boolean>
  /** Whether it would be given without asking the visitor. */
  isGranted(): Promise<boolean>
}

/**
 * Asks the browser to clear the store last where the device runs out of room (https://storage.spec.whatwg.org/#persistence).
 * Firefox asks the visitor: never without the site's wish.
 */
export async function persistStore(persistence: Persistence, isWished: boolean): Promise<void> {
  if (isWished || (await persistence.isGranted())) await persistence.persist()
}

/** Of this browser; undefined where it has none, or not here. */
export function findPersistence(): Persistence | undefined {
  const { storage, permissions }: Partial<Navigator> = navigator
  if (typeof storage?.persist !== 'function') return undefined
  return {
    persist: () => storage.persist(),
    isGranted: async () => (await permissions?.query({ name: 'persistent-storage' }))?.state === 'granted',
  }
}
