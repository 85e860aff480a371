import type { ShapedLink } from './shaped-link.ts'

const quietLimitMs = 15_000

/** Until the origin's line rests: what goes on after a page is there is not to disturb, or be counted to, the next one. */
export async function untilQuiet(link: ShapedLink, quietMs: number): Promise<void> {
  const endMs = performance.now() + quietLimitMs
  let last = link.downBytes()
  let lastMs = performance.now()
  while (performance.now() - lastMs < quietMs && performance.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(100, quietMs / 3)))
    if (link.downBytes() === last) continue
    last = link.downBytes()
    lastMs = performance.now()
  }
}
