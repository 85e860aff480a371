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
import { Database } from './database.ts'
import type { KeptState } from './kept-state.ts'
import type { PartCache } from './parts.ts'
import type { StoreDisk } from './store.ts'

/** The manifest's parts, apart from the store: they are shared with nobody. */
const partCacheName = 'nearhand-parts-1'
const partKey = (id: string): string => `https://parts.nearhand.invalid/${id}`

/** The device: IndexedDB for rows and state, the Cache API for bytes. */
export class Disk {
  readonly #caches: CacheStorage
  readonly #database: Database

  constructor(caches: CacheStorage, databases: IDBFactory) {
    this.#caches = caches
    const stores = [assetObjectStore, stateObjectStore]
    this.#database = new Database(databases, storeDatabaseName, storeDatabaseVersion, stores)
  }

  get store(): StoreDisk {
    return {
      getRow: (id) => this.#database.get(assetObjectStore, id),
      allRows: () => this.#database.getAll(assetObjectStore),
      putRow: (row) => this.#database.put(assetObjectStore, row.id, row),
      deleteRow: (id) => this.#database.delete(assetObjectStore, id),
      getFile: async (key) => (await (await this.#caches.open(storeCacheName)).match(key))?.blob(),
      putFile: async (key, body) => (await this.#caches.open(storeCacheName)).put(key, new Response(body)),
      deleteFile: async (key) => void (await (await this.#caches.open(storeCacheName)).delete(key)),
    }
  }

  get state(): KeptState {
    return {
      load: (key) => this.#database.get(stateObjectStore, key),
      save: (key, value) => this.#database.put(stateObjectStore, key, value),
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
  async deleteAll(): Promise<void> {
    for (const name of await this.#ownCaches()) await this.#caches.delete(name)
    await this.#database.destroy()
  }

  async #ownCaches(): Promise<readonly string[]> {
    return (await this.#caches.keys()).filter((name) => /^nearhand-(?:store|parts)-\d+$/.test(name))
  }
}
