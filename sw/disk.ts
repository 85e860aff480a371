import type { IDBPDatabase } from 'idb'
import { openDB } from 'idb'
import type { Bytes } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import { partLimitBytes } from '../protocol/limits.ts'
import {
  assetObjectStore,
  stateObjectStore,
  storeCacheName,
  storeDatabaseName,
  storeDatabaseVersion,
} from '../protocol/store-layout.ts'
import { readBounded } from './body-reader.ts'
import type { KeptState } from './kept-state.ts'
import type { PartCache } from './parts.ts'
import type { StoreDisk } from './store.ts'

/** The manifest's parts, apart from the store: they are shared with nobody. */
const partCacheName = 'nearhand-parts-1'
const partKey = (id: string): string => `https://parts.nearhand.invalid/${id}`

/** The device: IndexedDB for rows and state, the Cache API for bytes. */
export class Disk {
  readonly #caches: CacheStorage
  #database: Promise<IDBPDatabase> | undefined

  constructor(caches: CacheStorage) {
    this.#caches = caches
  }

  get store(): StoreDisk {
    return {
      getRow: async (id) => (await this.#open()).get(assetObjectStore, id),
      allRows: async () => (await this.#open()).getAll(assetObjectStore),
      putRow: async (row) => void (await (await this.#open()).put(assetObjectStore, row, row.id)),
      deleteRow: async (id) => (await this.#open()).delete(assetObjectStore, id),
      getFile: async (key) => (await (await this.#caches.open(storeCacheName)).match(key))?.blob(),
      putFile: async (key, body) => (await this.#caches.open(storeCacheName)).put(key, new Response(body)),
      deleteFile: async (key) => void (await (await this.#caches.open(storeCacheName)).delete(key)),
    }
  }

  get state(): KeptState {
    return {
      load: async (key): Promise<unknown> => (await this.#open()).get(stateObjectStore, key),
      save: async (key, value) => void (await (await this.#open()).put(stateObjectStore, value, key)),
    }
  }

  get parts(): PartCache {
    const open = (): Promise<Cache> => this.#caches.open(partCacheName)
    return {
      async read(id: ContentId): Promise<Bytes | undefined> {
        const response = await (await open()).match(partKey(id))
        return response && readBounded(response, partLimitBytes, 'part')
      },
      write: async (id, bytes) => (await open()).put(partKey(id), new Response(bytes)),
      async keepOnly(ids) {
        const cache = await open()
        const kept = new Set(ids.map(partKey))
        for (const request of await cache.keys()) if (!kept.has(request.url)) await cache.delete(request)
      },
    }
  }

  /** Deletes what earlier layouts left, and nothing of the site's own. */
  async deleteOthers(): Promise<void> {
    const current = new Set([storeCacheName, partCacheName])
    for (const name of await this.#ownCaches()) if (!current.has(name)) await this.#caches.delete(name)
  }

  /** Deletes all of ours. */
  async deleteAll(deleteDatabase: (name: string) => Promise<void>): Promise<void> {
    for (const name of await this.#ownCaches()) await this.#caches.delete(name)
    ;(await this.#database)?.close()
    this.#database = undefined
    await deleteDatabase(storeDatabaseName)
  }

  async #ownCaches(): Promise<readonly string[]> {
    return (await this.#caches.keys()).filter((name) => /^nearhand-(?:store|parts)-\d+$/.test(name))
  }

  #open(): Promise<IDBPDatabase> {
    const forget = (): void => (this.#database = undefined)
    this.#database ??= openDB(storeDatabaseName, storeDatabaseVersion, {
      upgrade(database) {
        for (const name of [assetObjectStore, stateObjectStore]) {
          if (!database.objectStoreNames.contains(name)) database.createObjectStore(name)
        }
      },
      // A newer version of the site, or its removal, must not wait for this worker.
      blocking(_current, _blocked, event) {
        if (event.target instanceof IDBDatabase) event.target.close()
        forget()
      },
      terminated: forget,
    })
    this.#database.catch(forget)
    return this.#database
  }
}
