import type { Page } from 'playwright-core'

/** Between two looks at a page. */
const pauseMs = 50

/**
 * Until an asynchronous condition holds in the page; the test's own time limit ends it. `page.waitForFunction` is for
 * synchronous ones: it takes a promise itself for true.
 */
export async function untilTrue<Arg>(
  page: Pick<Page, 'evaluate' | 'waitForTimeout'>,
  condition: (arg: Arg) => Promise<boolean>,
  arg: Arg,
): Promise<void> {
  // Playwright types the argument as what it becomes on the other side, which for plain values is the same.
  const look = page.evaluate.bind(page) as (condition: (arg: Arg) => Promise<boolean>, arg: Arg) => Promise<boolean>
  while (!(await look(condition, arg))) await page.waitForTimeout(pauseMs)
}
