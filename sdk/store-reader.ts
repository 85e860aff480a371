import { ProtocolError } from '../protocol/errors.ts'
import { seedEntriesOpen } from '../protocol/limits.ts'
import type { StoredAsset, StoreMessage } from '../protocol/store-layout.ts'
import {
  assetObjectStore,
  deviceNames,
  partKey,
  parseStoredAsset,
  parseStoreMessage,
  storeDatabaseVersion,
} from '../protocol/store-layout.ts'
import type { StoreReader } from './seed-store.ts'

/** Reads the store of the service worker, and never writes. @param base the site's folder on its host */
export function createStoreReader(base: string): StoreReader {
  const names = deviceNames(base)
  const channel = new BroadcastChannel(names.storeChannel)
  const cacheOf = (key: string): string => (key.startsWith(partKey('')) ? names.parts : names.store)
  // In Chromium a blob stays on disk until a part of it is read. Others may read it whole: not for each chunk of it.
  const open = new Map<string, Blob>()
  return {
    async open(told) {
      channel.addEventListener('message', (event: MessageEvent<unknown>) => {
        const message = parseOrSkip(parseStoreMessage, event.data)
        if (message) told(message)
      })
      const rows = await readRows(names.database)
      return rows.flatMap((row) => parseOrSkip(parseStoredAsset, row) ?? [])
    },
    async read(key, start, end) {
      const blob = open.get(key) ?? (await (await caches.match(key, { cacheName: cacheOf(key) }))?.blob())
      open.delete(key)
      if (blob === undefined) return undefined
      const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer())
      // Not before the read: what failed once is opened anew.
      open.set(key, blob)
      for (const oldest of open.keys()) {
        if (open.size <= seedEntriesOpen) break
        open.delete(oldest)
      }
      return bytes
    },
    close: () => channel.close(),
  }
}

/** All rows; none where there is no store yet, a newer one, or none in this browsing mode. */
async function readRows(name: string): Promise<readonly unknown[]> {
  const opening = indexedDB.open(name, storeDatabaseVersion)
  // The database is the service worker's to make: leave none behind where there is none yet.
  opening.onupgradeneeded = () => opening.transaction?.abort()
  const database = await resultOf(opening)
  if (database === undefined) return []
  try {
    return (await resultOf(database.transaction(assetObjectStore).objectStore(assetObjectStore).getAll())) ?? []
  } finally {
    // An open database would keep the worker from upgrading it, and the page out of the back/forward cache.
    database.close()
  }
}

function resultOf<Result>(request: IDBRequest<Result>): Promise<Result | undefined> {
  return new Promise((resolve) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => resolve(undefined)
  })
}

/** Any script of the site can write there: what is not ours is not held. */
function parseOrSkip<Value extends StoredAsset | StoreMessage>(
  parse: (value: unknown) => Value,
  value: unknown,
): Value | undefined {
  try {
    return parse(value)
  } catch (error) {
    if (error instanceof ProtocolError) return undefined
    throw error
  }
}
