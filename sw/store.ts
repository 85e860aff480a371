import type { Asset } from '../protocol/chunks.ts'
import type { ContentId } from '../protocol/ids.ts'
import { assemblyBytes, holdersRemembered, storePauseMs, touchMs } from '../protocol/limits.ts'
import type { StoredAsset, StoreMessage } from '../protocol/store-layout.ts'
import {
  listKey,
  pageKey,
  pageOfSpan,
  pagesOf,
  parseStoredAsset,
  spanCount,
  spanKey,
  spanLength,
} from '../protocol/store-layout.ts'
import type { CompleteSpan } from './assembler.ts'
import { Assembler } from './assembler.ts'
import type { Proof } from './chunk-lists.ts'
import { chooseOwnVictims, chooseVictims, storedBytes } from './evict.ts'
import type { VerifiedBytes } from './verify.ts'

/** Where the device keeps rows and bytes. Every call may fail, and a page's script may have written anything. */
export interface StoreDisk {
  getRow(id: ContentId): Promise<unknown>
  allRows(): Promise<readonly unknown[]>
  putRow(row: StoredAsset): Promise<void>
  deleteRow(id: ContentId): Promise<void>
  getFile(key: string): Promise<Blob | undefined>
  putFile(key: string, body: Blob): Promise<void>
  deleteFile(key: string): Promise<void>
  /** Deletes all files but these. */
  keepFiles(keys: ReadonlySet<string>): Promise<void>
}

export interface StoreOptions {
  readonly disk: StoreDisk
  readonly limitBytes: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Tells those who seed. */
  readonly tell: (message: StoreMessage) => void
  /** A failure of the device. The store goes on without what failed. */
  readonly report: (error: unknown) => void
}

/**
 * The device's own copy of assets. Nothing of it is trusted when read, nothing unverified is written, and no failure
 * of the device reaches who asks: then the store just does not have it.
 */
export class Store {
  readonly #options: StoreOptions
  readonly #assembler = new Assembler(assemblyBytes)
  /** Rows that this life of the worker has seen. */
  readonly #rows = new Map<ContentId, StoredAsset>()
  #hasAllRows = false
  /** As neighbours said, the oldest word first. */
  readonly #holders = new Map<ContentId, number>()
  /** One change after the other, so that no row is written from an old reading of it. */
  #work: Promise<void> = Promise.resolve()
  #queuedBytes = 0
  #limitBytes: number
  #pausedUntil = 0

  constructor(options: StoreOptions) {
    this.#options = options
    this.#limitBytes = options.limitBytes
  }

  /** What the device says it holds of an asset. */
  async find(id: ContentId): Promise<StoredAsset | undefined> {
    if (!this.#rows.has(id) && !this.#hasAllRows) {
      try {
        const row = await this.#options.disk.getRow(id)
        const parsed = row === undefined ? undefined : parseStoredAsset(row)
        if (parsed && !this.#rows.has(id) && !this.#hasAllRows) this.#rows.set(id, parsed)
      } catch (error) {
        this.#options.report(error)
      }
    }
    return this.#rows.get(id)
  }

  /** The bytes of a span, not checked; undefined, and the row repaired, where they are gone. */
  async openSpan(row: StoredAsset, span: number): Promise<Blob | undefined> {
    const body = await this.#open(spanKey(row.id, span))
    if (body?.size === spanLength(row.size, span)) return body
    this.dropSpan(row.id, span)
    return undefined
  }

  /** The bytes of a chunk list, or of a page of it, not checked. */
  openList(id: ContentId, page?: number): Promise<Blob | undefined> {
    return this.#open(page === undefined ? listKey(id) : pageKey(id, page))
  }

  /** Remembers that an asset was of use, exactly to the minute. */
  touch(id: ContentId): void {
    const now = this.#options.now()
    this.#change(async () => {
      const row = await this.find(id)
      if (row === undefined || now - row.usedAt < touchMs) return
      await this.#putRow({ ...row, usedAt: now, uses: (row.uses ?? 1) + 1, ...this.#rarityOf(row) })
    })
  }

  /** So many neighbours hold it: what is rare among them stays longer. */
  noteHolders(id: ContentId, holders: number): void {
    this.#holders.delete(id)
    this.#holders.set(id, holders)
    const [oldest] = this.#holders.keys()
    if (this.#holders.size > holdersRemembered && oldest !== undefined) this.#holders.delete(oldest)
  }

  /** Keeps a chunk; it is on disk once all chunks of its span were kept. */
  keep(asset: Asset, index: number, bytes: VerifiedBytes, proof: Proof): void {
    // Of what does not fit whole, half of the room holds some spans, or none.
    if (spanLength(asset.size, 0) * 2 > this.#limitBytes && asset.size > this.#limitBytes) return
    if (this.#options.now() < this.#pausedUntil) return
    const complete = this.#assembler.add(asset, index, bytes)
    // Writes that pile up are bounded like chunks that wait: what comes on top is not stored this time.
    if (complete === undefined || this.#queuedBytes + complete.body.size > assemblyBytes) return
    this.#queuedBytes += complete.body.size
    this.#change(async () => {
      try {
        await this.#write(complete, proof)
      } finally {
        this.#queuedBytes -= complete.body.size
      }
    })
  }

  /** Removes bytes that were not what they should be, or are gone. */
  dropSpan(id: ContentId, span: number): void {
    this.#change(async () => {
      const row = await this.find(id)
      if (row?.spans.includes(span)) await this.#dropSpans(row, new Set([span]))
    })
  }

  /** Removes an asset: it was revoked, or its list is not what it should be. */
  drop(id: ContentId): void {
    this.#change(async () => {
      const row = await this.find(id)
      if (row) await this.#remove(row)
    })
  }

  /** Resolves when everything begun so far is on disk or has failed. */
  settled(): Promise<void> {
    return this.#work
  }

  async #open(key: string): Promise<Blob | undefined> {
    try {
      return await this.#options.disk.getFile(key)
    } catch (error) {
      this.#options.report(error)
      return undefined
    }
  }

  #change(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => this.#options.report(error))
  }

  async #write({ asset, span, body }: CompleteSpan, { list, page }: Proof): Promise<void> {
    const { id, section, size, chunkSize } = asset
    // A buffer that was given away in the meantime is empty: a span must not be stored short.
    if (body.size !== spanLength(size, span)) return
    const held = await this.find(id)
    if (held?.spans.includes(span)) return
    const row = held && (await this.#dropSpans(held, chooseOwnVictims(held, span, body.size, this.#limitBytes)))
    const pageNumber = pageOfSpan(asset, span)
    const missing = [
      { key: listKey(id), bytes: row ? undefined : list },
      { key: pageKey(id, pageNumber), bytes: row && pagesOf(row).has(pageNumber) ? undefined : page },
    ]
    const needed = missing.reduce((sum, { bytes }) => sum + (bytes?.length ?? 0), body.size)
    if (!(await this.#makeRoom(id, needed))) return
    try {
      for (const { key, bytes } of missing) if (bytes) await this.#options.disk.putFile(key, new Blob([bytes]))
      await this.#options.disk.putFile(spanKey(id, span), body)
    } catch (error) {
      this.#shrink(error)
      throw error
    }
    const spans = [...(row?.spans ?? []), span].toSorted((one, other) => one - other)
    const uses = held?.uses ?? 1
    const usedAt = this.#options.now()
    const stored = { id, path: asset.path, section, size, chunkSize, spans, usedAt, uses, ...this.#rarityOf({ id }) }
    await this.#putRow(stored)
    this.#options.tell({ type: 'stored', asset: stored })
  }

  /** What is left of it, undefined where nothing is. */
  async #dropSpans(row: StoredAsset, dropped: ReadonlySet<number>): Promise<StoredAsset | undefined> {
    if (dropped.size === 0) return row
    const spans = row.spans.filter((held) => !dropped.has(held))
    if (spans.length === 0) {
      await this.#remove(row)
      return undefined
    }
    const left = { ...row, spans }
    await this.#putRow(left)
    this.#options.tell({ type: 'stored', asset: left })
    for (const span of dropped) await this.#options.disk.deleteFile(spanKey(row.id, span))
    return left
  }

  async #makeRoom(id: ContentId, needed: number): Promise<boolean> {
    await this.#loadRows()
    const victims = chooseVictims([...this.#rows.values()], needed, this.#limitBytes, id, this.#options.now())
    for (const victim of victims ?? []) {
      const row = this.#rows.get(victim)
      if (row) await this.#remove(row)
    }
    return victims !== undefined
  }

  /** The device has less room than the site allows: from now on what is held makes place for what comes. */
  #shrink(error: unknown): void {
    this.#pausedUntil = this.#options.now() + storePauseMs
    if (!(error instanceof Error) || error.name !== 'QuotaExceededError') return
    this.#limitBytes = Math.floor([...this.#rows.values()].reduce((sum, row) => sum + storedBytes(row), 0) / 2)
  }

  async #loadRows(): Promise<void> {
    if (this.#hasAllRows) return
    for (const value of await this.#options.disk.allRows()) {
      try {
        const row = parseStoredAsset(value)
        if (!this.#rows.has(row.id)) this.#rows.set(row.id, row)
      } catch (error) {
        this.#options.report(error)
      }
    }
    this.#hasAllRows = true
    // A worker that was stopped between a file and its row left bytes that nobody would count.
    await this.#options.disk.keepFiles(new Set([...this.#rows.values()].flatMap(keysOf)))
  }

  #rarityOf({ id }: Pick<StoredAsset, 'id'>): Pick<StoredAsset, 'holders'> {
    const holders = this.#holders.get(id)
    return holders === undefined ? {} : { holders }
  }

  async #putRow(row: StoredAsset): Promise<void> {
    await this.#options.disk.putRow(row)
    this.#rows.set(row.id, row)
  }

  async #remove(row: StoredAsset): Promise<void> {
    // The row first: a row without bytes would be offered to others, bytes without a row are only overwritten.
    await this.#options.disk.deleteRow(row.id)
    this.#rows.delete(row.id)
    this.#options.tell({ type: 'dropped', id: row.id })
    for (const key of keysOf(row)) await this.#options.disk.deleteFile(key)
  }
}

function keysOf(row: StoredAsset): readonly string[] {
  const { id, spans } = row
  return [listKey(id), ...[...pagesOf(row)].map((page) => pageKey(id, page)), ...spans.map((span) => spanKey(id, span))]
}

/** Whether every span of the asset is held. */
export function isWhole(row: StoredAsset | undefined): boolean {
  return row !== undefined && new Set(row.spans).size === spanCount(row.size)
}
