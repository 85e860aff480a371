import { listHedgeMs } from '../protocol/limits.ts'
import { within } from './deadline.ts'
import type { ChunkSource, Delivery } from './sources.ts'

/**
 * The first source, and the other as well where that says nothing at once: for lists, which are small and which the
 * first byte of a page waits for.
 */
export function soonerOf(first: ChunkSource, other: ChunkSource): ChunkSource {
  return {
    name: other.name,
    async read(chunk, signal) {
      const answer = first.read(chunk, signal)
      const isHere = await within(listHedgeMs, answer)
      return isHere ?? firstOf([answer, other.read(chunk, signal)])
    },
  }
}

/** The first that is something; a failure counts as nothing. */
function firstOf(answers: readonly Promise<Delivery | undefined>[]): Promise<Delivery | undefined> {
  return new Promise((resolve) => {
    const found = answers.map(async (answer) => {
      const delivery = await answer.catch(() => undefined)
      if (delivery) resolve(delivery)
    })
    Promise.all(found).then(() => resolve(undefined), resolve.bind(undefined, undefined))
  })
}
