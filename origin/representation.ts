import type { FileHandle } from 'node:fs/promises'
import type { Bytes } from '../protocol/bytes.ts'
import { stallWaitMs } from '../protocol/limits.ts'
import type { Validators } from './conditions.ts'

/** What a request gets: bytes of a known size, held until they are read or let go. */
export interface Representation extends Validators {
  readonly size: number
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Gives `length` bytes from `start` and lets go at their end. Called once at most. */
  read(start: number, length: number): ReadableStream<Bytes>
  /** Lets go unread. */
  close(): Promise<void>
}

const pieceBytes = 64 * 1024

/** An open file, read at the pace of its reader. The representation owns the handle. */
export function fileRepresentation(
  handle: FileHandle,
  facts: Pick<Representation, 'etag' | 'modifiedMs' | 'size' | 'headers'>,
): Representation {
  return {
    ...facts,
    close: () => handle.close(),
    read(start, length) {
      let at = start
      const end = start + length
      let timer: NodeJS.Timeout | undefined
      let isGivenUp = false
      /** A server that drops a response without a word, as Node does with pipelined ones, would leave the file open. */
      const waitForReader = (): void => {
        timer = setTimeout(() => {
          isGivenUp = true
          void handle.close()
        }, stallWaitMs).unref()
      }
      return new ReadableStream<Bytes>({
        async pull(controller) {
          clearTimeout(timer)
          try {
            if (isGivenUp) throw new Error('Cannot read file: it was closed, for nobody read on')
            const { bytesRead, buffer } = await handle.read(new Uint8Array(Math.min(pieceBytes, end - at)), 0, null, at)
            // A file cut short under us: the promised length cannot be kept, so the connection must break.
            if (bytesRead === 0) throw new Error('Cannot read file: it became shorter')
            at += bytesRead
            controller.enqueue(buffer.subarray(0, bytesRead))
            if (at < end) return waitForReader()
            await handle.close()
            controller.close()
          } catch (error) {
            await handle.close()
            controller.error(error)
          }
        },
        cancel() {
          clearTimeout(timer)
          return handle.close()
        },
      })
    },
  }
}

/** Bytes that are already here. */
export function bytesRepresentation(bytes: Bytes, facts: Pick<Representation, 'etag' | 'headers'>): Representation {
  return {
    ...facts,
    size: bytes.length,
    close: () => Promise.resolve(),
    read: (start, length) =>
      new ReadableStream({
        start(controller) {
          controller.enqueue(bytes.subarray(start, start + length))
          controller.close()
        },
      }),
  }
}
