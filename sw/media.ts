import * as v from 'valibot'
import { mediaPathsKept, pagesKept } from '../protocol/limits.ts'
import type { KeptState } from './kept-state.ts'
import { loadAs } from './kept-state.ts'

/** Of each page that loaded without the worker: the media paths met in it, and whether they are ours. */
const pagesSchema = v.record(v.string(), v.record(v.string(), v.boolean()))
type Pages = v.InferOutput<typeof pagesSchema>

const stateKey = 'media'

/**
 * Keeps every `<video>` and `<audio>` with whom it began. Chromium breaks an element whose ranges come partly from
 * the network and partly from a service worker, and a page that was open before it had a worker has begun some alone.
 */
export class Media {
  readonly #state: KeptState
  readonly #report: (error: unknown) => void
  #pages: Promise<Pages> | undefined

  constructor(state: KeptState, report: (error: unknown) => void) {
    this.#state = state
    this.#report = report
  }

  /** @param adopted pages that now get the worker @param open all that there are */
  async adopt(adopted: readonly string[], open: readonly string[]): Promise<void> {
    const before = await this.#load()
    const met = [...open, ...open.map(leftKey)].filter((page) => page in before || adopted.includes(page))
    this.#pages = Promise.resolve(Object.fromEntries(met.map((page) => [page, before[page] ?? {}])))
    await this.#save()
  }

  /** The worker left a range of this path to the network: so it does with all of them. */
  async leave(page: string, path: string): Promise<void> {
    const pages = await this.#load()
    const met = (pages[leftKey(page)] ??= {})
    if (met[path] === false) return
    met[path] = false
    const [oldest] = Object.keys(pages)
    if (Object.keys(pages).length > pagesKept && oldest !== undefined) delete pages[oldest]
    await this.#save()
  }

  /** Whether the worker may answer. @param start first byte of the range: an element begins with 0 */
  async isOurs(page: string, path: string, start: number): Promise<boolean> {
    const pages = await this.#load()
    const met = pages[page]
    if (pages[leftKey(page)]?.[path] === false) return false
    if (met === undefined) return true
    const known = met[path]
    if (known !== undefined) return known
    if (Object.keys(met).length >= mediaPathsKept) return false
    met[path] = start === 0
    await this.#save()
    return start === 0
  }

  #load(): Promise<Pages> {
    this.#pages ??= loadAs<Pages>(this.#state, stateKey, pagesSchema, {}, this.#report)
    return this.#pages
  }

  async #save(): Promise<void> {
    try {
      await this.#state.save(stateKey, await this.#load())
    } catch (error) {
      this.#report(error)
    }
  }
}

/** What a page with a worker was left alone with says nothing of its other paths. */
function leftKey(page: string): string {
  return `${page} left`
}

export function isMedia({ destination }: Pick<Request, 'destination'>): boolean {
  return destination === 'video' || destination === 'audio'
}

/** First byte of a Range header, 0 where there is none that could be read. */
export function rangeStart(header: string | null): number {
  return Number(/^bytes=(\d+)-/.exec(header ?? '')?.[1] ?? 0)
}

/** The same answer, as one that the worker made: a media element must not meet both kinds. */
export function asMade(response: Response): Response {
  const { body, status, statusText, headers, type } = response
  // What another host hides (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name) cannot be made again.
  const isWhole = type === 'basic' || (type === 'cors' && (status !== 206 || headers.has('content-range')))
  return isWhole && status >= 200 ? new Response(body, { status, statusText, headers }) : response
}
