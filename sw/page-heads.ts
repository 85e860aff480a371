import * as v from 'valibot'
import type { ContentId } from '../protocol/ids.ts'
import { contentIdSchema } from '../protocol/ids.ts'
import { pagesKept } from '../protocol/limits.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'

const stateKey = 'pages'
/** Pairs of page and head, the oldest page first. */
const pagesSchema = v.array(v.tuple([v.string(), contentIdSchema]))

/** Which head each open page was made with, as the origin said when it gave the page: it gets that head's assets to its end. */
export class PageHeads {
  readonly #state: KeptState
  readonly #report: (error: unknown) => void
  /** Of this life of the worker. */
  readonly #noted = new Map<string, ContentId>()
  #earlier: Promise<ReadonlyMap<string, ContentId>> | undefined

  constructor(state: KeptState, report: (error: unknown) => void) {
    this.#state = state
    this.#report = report
  }

  note(page: string, head: ContentId): void {
    this.#noted.set(page, head)
    const [oldest] = this.#noted.keys()
    if (this.#noted.size > pagesKept && oldest !== undefined) this.#noted.delete(oldest)
    this.#save().catch(this.#report)
  }

  async headOf(page: string): Promise<ContentId | undefined> {
    return this.#noted.get(page) ?? (await this.#load()).get(page)
  }

  async #save(): Promise<void> {
    const pages = [...new Map([...(await this.#load()), ...this.#noted])]
    await this.#state.save(stateKey, pages.slice(-pagesKept))
  }

  #load(): Promise<ReadonlyMap<string, ContentId>> {
    this.#earlier ??= loadAs(this.#state, stateKey, pagesSchema, [], this.#report).then((pages) => new Map(pages))
    return this.#earlier
  }
}
