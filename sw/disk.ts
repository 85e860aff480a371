import type { Bytes } from '../protocol/bytes.ts'
import type { ContentId } from '../protocol/ids.ts'
import { partLimitBytes } from '../protocol/limits.ts'
import type { DeviceNames } from '../protocol/store-layout.ts'
import {
  assetObjectStore,
  stateObjectStore,
  deviceNames,
  partKey,
  storeDatabaseVersion,
} from '../protocol/store-layout.ts'
import { readBounded } from './body-reader.ts'
import { Database } from './database.ts'
import type { KeptState } from './kept-state.ts'
import type { PartCache } from './parts.ts'
import type { StoreDisk } from './store.ts'

/** The device: IndexedDB for rows and state, the Cache API for bytes. */
export class Disk {
  readonly #caches: CacheStorage
  readonly #names: DeviceNames
  readonly #base: string
  readonly #database: Database
  /** Nothing is written any more: it would outlive us. */
  #isOff = false

  /** @param base the site's folder on its host */
  constructor(caches: CacheStorage, databases: IDBFactory, base: string) {
    this.#caches = caches
    this.#base = base
    this.#names = deviceNames(base)
    const stores = [assetObjectStore, stateObjectStore]
    this.#database = new Database(databases, this.#names.database, storeDatabaseVersion, stores)
  }

  get store(): StoreDisk {
    return {
      getRow: (id) => this.#database.get(assetObjectStore, id),
      allRows: () => this.#database.getAll(assetObjectStore),
      putRow: (row) => this.#database.put(assetObjectStore, row.id, row),
      deleteRow: (id) => this.#database.delete(assetObjectStore, id),
      getFile: async (key) => (await (await this.#open(this.#names.store)).match(key))?.blob(),
      putFile: async (key, body) => (await this.#open(this.#names.store)).put(key, new Response(body)),
      keepFiles: async (keys) => keepOnly(await this.#open(this.#names.store), keys),
      deleteFile: async (key) => void (await (await this.#open(this.#names.store)).delete(key)),
    }
  }

  get state(): KeptState {
    return {
      load: (key) => this.#database.get(stateObjectStore, key),
      save: (key, value) => this.#database.put(stateObjectStore, key, value),
    }
  }

  get parts(): PartCache {
    const open = (): Promise<Cache> => this.#open(this.#names.parts)
    return {
      async read(id: ContentId): Promise<Bytes | undefined> {
        const response = await (await open()).match(partKey(id))
        return response && readBounded(response, partLimitBytes, 'part')
      },
      write: async (id, bytes) => (await open()).put(partKey(id), new Response(bytes)),
      async keepOnly(ids) {
        await keepOnly(await open(), new Set(ids.map(partKey)))
      },
    }
  }

  /** Deletes what earlier layouts left, and nothing of the site's own. */
  async deleteOthers(): Promise<void> {
    const current = new Set<string>([this.#names.store, this.#names.parts])
    for (const name of await this.#ownCaches()) if (!current.has(name)) await this.#caches.delete(name)
  }

  /** Whether we were switched off and not on again since. */
  isOff(): Promise<boolean> {
    return this.#caches.has(this.#names.off)
  }

  /** Deletes all of ours, and writes nothing any more but the mark that says so. */
  async switchOff(): Promise<void> {
    this.#isOff = true
    await this.#caches.open(this.#names.off)
    for (const name of await this.#ownCaches()) await this.#caches.delete(name)
    await this.#database.destroy()
  }

  async switchOn(): Promise<void> {
    await this.#caches.delete(this.#names.off)
    this.#isOff = false
    this.#database.revive()
  }

  #open(name: string): Promise<Cache> {
    return this.#isOff
      ? Promise.reject(new Error('Cannot use the store: it was switched off'))
      : this.#caches.open(name)
  }

  async #ownCaches(): Promise<readonly string[]> {
    const isOwn = (name: string): boolean =>
      /^nearhand-(?:store|parts)-\d+ /.test(name) && name.endsWith(` ${this.#base}`)
    return (await this.#caches.keys()).filter(isOwn)
  }
}

async function keepOnly(cache: Cache, urls: ReadonlySet<string>): Promise<void> {
  for (const request of await cache.keys()) if (!urls.has(request.url)) await cache.delete(request)
}
