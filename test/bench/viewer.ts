import { untilControlled } from './seed.ts'
import type { Stats } from '../browser/harness/visitor.ts'
import type { Device } from './device.ts'

interface BenchInPage {
  readonly finished: Promise<number>
  load(): Promise<number>
}

declare global {
  // oxlint-disable-next-line no-var
  var bench: BenchInPage
}

/** A device at the page whose offload is measured. */
export interface Viewer {
  open(url: string): Promise<void>
  /** Until the worker answers this page's requests. */
  untilControlled(): Promise<void>
  untilConnected(): Promise<void>
  /** Milliseconds until the page that loads by itself was finished. */
  finished(): Promise<number>
  /** Has the page insert the media; milliseconds until all were there. */
  insert(): Promise<number>
  /** Undefined where the page has none of our script. */
  totals(): Promise<Stats | undefined>
  close(): Promise<void>
}

export function viewerOn({ page, close }: Device): Viewer {
  return {
    open: async (url) => void (await page.goto(url, { waitUntil: 'domcontentloaded' })),
    untilControlled: () => untilControlled(page),
    untilConnected: () => page.evaluate(async () => void (await nearhand.connected())),
    finished: () => page.evaluate(() => bench.finished),
    insert: () => page.evaluate(() => bench.load()),
    totals: () => page.evaluate(() => (globalThis as Partial<typeof globalThis>).nearhand?.stats()),
    close,
  }
}
