/** Runs `work` on every item, at most `limit` at a time. The first failure ends it: no further item is begun. */
export async function eachBounded<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  try {
    for await (const item of items) {
      const task = work(item).finally(() => running.delete(task))
      running.add(task)
      if (running.size >= limit) await Promise.race(running)
    }
    await Promise.all(running)
  } finally {
    await Promise.allSettled(running) // after a failure: nothing goes on behind the caller's back
  }
}
