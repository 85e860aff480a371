import type { Bytes } from '../../protocol/bytes.ts'
import type { KeptState } from '../../sw/kept-state.ts'
import type { PartCache } from '../../sw/parts.ts'
import type { StoreDisk } from '../../sw/store.ts'

/** A device that keeps everything in memory, and fails when told to. */
export class MemoryDisk {
  readonly rows = new Map<string, unknown>()
  readonly files = new Map<string, Blob>()
  readonly values = new Map<string, unknown>()
  readonly parts = new Map<string, Bytes>()
  /** What every call is rejected with. */
  failure: Error | undefined
  /** What writes of files are rejected with. */
  writeFailure: Error | undefined

  readonly store: StoreDisk = {
    getRow: async (id) => this.#working(this.rows).get(id),
    allRows: async () => [...this.#working(this.rows).values()],
    putRow: async (row) => void this.#working(this.rows).set(row.id, row),
    deleteRow: async (id) => void this.#working(this.rows).delete(id),
    getFile: async (key) => this.#working(this.files).get(key),
    putFile: async (key, body) => {
      if (this.writeFailure) throw this.writeFailure
      this.#working(this.files).set(key, body)
    },
    deleteFile: async (key) => void this.#working(this.files).delete(key),
    keepFiles: async (keys) => {
      for (const key of this.#working(this.files).keys()) if (!keys.has(key)) this.files.delete(key)
    },
  }

  readonly state: KeptState = {
    load: async (key) => this.#working(this.values).get(key),
    save: async (key, value) => void this.#working(this.values).set(key, value),
  }

  readonly partCache: PartCache = {
    read: async (id) => this.#working(this.parts).get(id),
    write: async (id, bytes) => void this.#working(this.parts).set(id, bytes),
    keepOnly: async (ids) => {
      const kept: readonly string[] = ids
      for (const id of this.#working(this.parts).keys()) if (!kept.includes(id)) this.parts.delete(id)
    },
  }

  #working<Table>(table: Table): Table {
    if (this.failure) throw this.failure
    return table
  }
}
