import * as v from 'valibot'
import type { ContentId } from '../protocol/ids.ts'
import { contentIdSchema, parseContentId } from '../protocol/ids.ts'
import { delegateLimit, pagesKept } from '../protocol/limits.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'

const stateKey = 'pages'
/** Pairs of page and heads, the oldest page first. */
const pagesSchema = v.array(v.tuple([v.string(), v.array(contentIdSchema)]))

/** Which heads each open page was made with, as the origin said when it gave the page: it gets their assets to its end. */
export class PageHeads {
  readonly #state: KeptState
  readonly #report: (error: unknown) => void
  /** Of this life of the worker. */
  readonly #noted = new Map<string, readonly ContentId[]>()
  #earlier: Promise<ReadonlyMap<string, readonly ContentId[]>> | undefined

  constructor(state: KeptState, report: (error: unknown) => void) {
    this.#state = state
    this.#report = report
  }

  note(page: string, heads: readonly ContentId[]): void {
    this.#noted.set(page, heads)
    const [oldest] = this.#noted.keys()
    if (this.#noted.size > pagesKept && oldest !== undefined) this.#noted.delete(oldest)
    this.#save().catch(this.#report)
  }

  async headsOf(page: string): Promise<readonly ContentId[] | undefined> {
    return this.#noted.get(page) ?? (await this.#load()).get(page)
  }

  async #save(): Promise<void> {
    const pages = [...new Map([...(await this.#load()), ...this.#noted])]
    await this.#state.save(stateKey, pages.slice(-pagesKept))
  }

  #load(): Promise<ReadonlyMap<string, readonly ContentId[]>> {
    this.#earlier ??= loadAs(this.#state, stateKey, pagesSchema, [], this.#report).then((pages) => new Map(pages))
    return this.#earlier
  }
}

/** What a page's answer says in `headHeader`; undefined where it says nothing, or nothing of that form. */
export function parseHeads(header: string | null): readonly ContentId[] | undefined {
  const heads = (header ?? '').split(',').map((text) => parseContentId(text.trim()))
  const known = heads.filter((head) => head !== undefined)
  return known.length === heads.length && known.length <= delegateLimit + 1 ? known : undefined
}
