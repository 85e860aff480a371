import type { Page } from 'playwright-core'
import type { Stats } from '../browser/harness/visitor.ts'

const tries = 10

export async function untilControlled(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { serviceWorker } = navigator
    await new Promise<void>((resolve) => {
      if (serviceWorker.controller) resolve()
      else serviceWorker.addEventListener('controllerchange', () => resolve(), { once: true })
    })
  })
}

export function statsOf(page: Page): Promise<Stats> {
  return page.evaluate(() => nearhand.stats())
}

/** Has this visitor's store hold these assets whole. It is read back until every byte comes from there. */
export async function seed(page: Page, paths: readonly string[]): Promise<void> {
  await untilControlled(page)
  await load(page, paths)
  for (let left = tries; left > 0; left -= 1) {
    const before = (await statsOf(page)).bytes
    await load(page, paths)
    const { bytes } = await statsOf(page)
    if (bytes.store > before.store && bytes.peers === before.peers && bytes.origin === before.origin) return
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  throw new Error(`Cannot seed ${paths.length} assets: the store does not keep them`)
}

/** Until so many neighbours can be asked, or for so long. */
export async function untilNeighbours(page: Page, count: number, limitMs: number): Promise<number> {
  return page.evaluate(
    async ([wanted, ms]) => {
      const end = performance.now() + ms
      for (;;) {
        const { length } = (await nearhand.stats()).peers
        if (length >= wanted || performance.now() > end) return length
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    [count, limitMs] as const,
  )
}

async function load(page: Page, paths: readonly string[]): Promise<void> {
  await page.evaluate(async (wanted) => {
    for (const path of wanted) {
      const response = await fetch(path)
      if (!response.ok) throw new Error(`Cannot load ${path}: ${response.status}`)
      await response.arrayBuffer()
    }
  }, paths)
}
