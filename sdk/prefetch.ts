import { prefetchLimit } from '../protocol/limits.ts'
import type { Circumstances } from './circumstances.ts'

/** What of the browser's page is used. */
export interface PrefetchPage {
  readonly circumstances: Circumstances
  /** What the page's `<link rel="nearhand-prefetch">` name now. */
  readonly prefetchUrls: readonly string[]
  /** Calls it once the page is loaded and has nothing to do. */
  readonly whenIdle: (action: () => void) => void
}

/**
 * Has the worker get what the site's next pages need, once on each page, when it is idle. Never where bytes cost the
 * visitor money.
 */
export class Prefetch {
  readonly #page: PrefetchPage
  readonly #ask: (urls: readonly string[]) => void
  #isPlanned = false

  constructor(page: PrefetchPage, ask: (urls: readonly string[]) => void) {
    this.#page = page
    this.#ask = ask
  }

  plan(): void {
    if (this.#isPlanned) return
    this.#isPlanned = true
    this.#page.whenIdle(() => {
      const { saveData, type } = this.#page.circumstances
      const urls = this.#page.prefetchUrls.slice(0, prefetchLimit)
      if (saveData !== true && type !== 'cellular' && urls.length > 0) this.#ask(urls)
    })
  }
}
