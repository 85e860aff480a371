import { pipelineChunks } from '../protocol/limits.ts'
import type { Plan } from './plan.ts'
import type { CheckedChunk } from './sources.ts'

/** The bytes of an asset that a response brings, up to but not with `end`. */
export interface FeedRange {
  readonly start: number
  readonly end: number
}

/** Gives the chunks of one asset, each checked. */
export interface ChunkFeed {
  readonly chunkSize: number
  read(index: number): Promise<CheckedChunk>
  /** The page waits for this chunk; all others that are read are only read ahead. */
  need(index: number): void
  /** The first chunk is checked: from now on the response is this content and no other. */
  begin(): void
  /** No chunk will be asked for any more: it was the last one, the page went away, or a chunk could not be had. */
  end(): void
}

/** How many bytes of a chunk the page was given. */
export type OnDelivered = (chunk: CheckedChunk, bytes: number) => void

/** An answer without a body. */
export function respondEmpty(plan: Plan): Response {
  return new Response(null, initOf(plan))
}

/**
 * Turns a plan into a response. It resolves once the first chunk is here and checked: what fails before can still be
 * answered otherwise. What fails later breaks the body like a dropped connection.
 */
export async function respond(
  plan: Plan,
  { start, end }: FeedRange,
  feed: ChunkFeed,
  onDelivered: OnDelivered,
): Promise<Response> {
  let index = Math.floor(start / feed.chunkSize)
  const chunks = readAhead(feed, index, Math.ceil(end / feed.chunkSize))
  try {
    feed.need(index)
    let next: Promise<CheckedChunk> | CheckedChunk = await chunks()
    feed.begin()
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          feed.need(index)
          const checked = await next
          index += 1
          const { offset, length } = checked.chunk
          const slice = checked.bytes.subarray(Math.max(start - offset, 0), Math.min(end - offset, length))
          controller.enqueue(slice)
          onDelivered(checked, slice.length)
          if (offset + length < end) {
            next = chunks()
            next.catch(() => {}) // told by the next pull
            return
          }
          controller.close()
          feed.end()
        } catch (error) {
          feed.end()
          throw error
        }
      },
      cancel: () => feed.end(),
    })
    return new Response(body, initOf(plan))
  } catch (error) {
    feed.end()
    throw error
  }
}

function initOf({ status, headers }: Plan): ResponseInit {
  return { status, headers: headers.map(([name, value]): [string, string] => [name, value]) }
}

/** Reads chunks in order, some ahead of the one that is waited for. */
function readAhead(feed: ChunkFeed, first: number, end: number): () => Promise<CheckedChunk> {
  const ahead: Promise<CheckedChunk>[] = []
  let index = first
  return async () => {
    while (index < end && ahead.length < pipelineChunks) {
      const chunk = feed.read(index)
      chunk.catch(() => {}) // told when it is its turn
      ahead.push(chunk)
      index += 1
    }
    const next = ahead.shift()
    if (next === undefined) throw new RangeError('Cannot read ahead: there is no chunk left')
    return next
  }
}
