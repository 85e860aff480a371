/** The part of Web Locks that is needed. */
export interface Locks {
  request(name: string, options: { signal: AbortSignal }, granted: () => Promise<void>): Promise<unknown>
}

/**
 * Calls `lead` once this tab is the one of its site that holds connections, and keeps that role until the returned
 * function is called. Without Web Locks each tab leads itself.
 */
export function awaitLeadership(locks: Locks | undefined, name: string, lead: () => void): () => void {
  if (locks === undefined) {
    lead()
    return () => {}
  }
  const left = new AbortController()
  const held = new Promise<void>((resolve) => left.signal.addEventListener('abort', () => resolve()))
  locks
    .request(name, { signal: left.signal }, () => {
      lead()
      return held
    })
    .catch((error: unknown) => {
      if (!left.signal.aborted) lead() // a browser that refuses locks here, as in an opaque origin
      else if (!(error instanceof DOMException)) throw error
    })
  return () => left.abort()
}
