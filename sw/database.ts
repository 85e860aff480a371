/** As much of IndexedDB as the worker needs: single values by key. Opens at first use, and again after it was closed. */
export class Database {
  readonly #factory: IDBFactory
  readonly #name: string
  readonly #version: number
  readonly #stores: readonly string[]
  #opened: Promise<IDBDatabase> | undefined
  #isDeleted = false

  constructor(factory: IDBFactory, name: string, version: number, stores: readonly string[]) {
    this.#factory = factory
    this.#name = name
    this.#version = version
    this.#stores = stores
  }

  get(store: string, key: string): Promise<unknown> {
    return this.#run(store, 'readonly', (objects): IDBRequest<unknown> => objects.get(key))
  }

  getAll(store: string): Promise<readonly unknown[]> {
    return this.#run(store, 'readonly', (objects): IDBRequest<unknown[]> => objects.getAll())
  }

  async put(store: string, key: string, value: unknown): Promise<void> {
    await this.#run(store, 'readwrite', (objects) => objects.put(value, key))
  }

  async delete(store: string, key: string): Promise<void> {
    await this.#run(store, 'readwrite', (objects) => objects.delete(key))
  }

  /** Deletes the whole database for good; waits for the pages that hold it open. */
  async destroy(): Promise<void> {
    const opened = this.#opened
    this.#isDeleted = true
    this.#opened = Promise.reject(new Error('Cannot open the database: it was deleted'))
    this.#opened.catch(() => {})
    ;(await opened?.catch(() => undefined))?.close()
    await settle(this.#factory.deleteDatabase(this.#name))
  }

  /** May be opened again. */
  revive(): void {
    if (this.#isDeleted) this.#opened = undefined
    this.#isDeleted = false
  }

  async #run<Result>(
    store: string,
    mode: IDBTransactionMode,
    act: (objects: IDBObjectStore) => IDBRequest<Result>,
  ): Promise<Result> {
    const transaction = (await this.#open()).transaction(store, mode)
    const result = await settle(act(transaction.objectStore(store)))
    if (mode === 'readonly') return result
    // What was written is kept only once the transaction is complete: a full disk speaks up there.
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? new Error(`Cannot write to ${store}: aborted`))
    })
    return result
  }

  #open(): Promise<IDBDatabase> {
    this.#opened ??= this.#request()
    return this.#opened
  }

  async #request(): Promise<IDBDatabase> {
    const forget = (): void => {
      this.#opened = undefined
    }
    try {
      const request = this.#factory.open(this.#name, this.#version)
      request.onupgradeneeded = () => {
        for (const store of this.#stores) {
          if (!request.result.objectStoreNames.contains(store)) request.result.createObjectStore(store)
        }
      }
      const database = await settle(request)
      if (this.#stores.some((store) => !database.objectStoreNames.contains(store))) {
        // A script of the page made it. It is of no use to us, nor is the name to anybody else.
        database.close()
        await settle(this.#factory.deleteDatabase(this.#name))
        throw new Error('Cannot open the database: it was not ours')
      }
      database.onclose = forget
      // A newer version of the site, or its removal, must not wait for this worker.
      database.onversionchange = () => {
        database.close()
        forget()
      }
      return database
    } catch (error) {
      forget()
      throw error
    }
  }
}

function settle<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('Cannot use the database'))
  })
}
