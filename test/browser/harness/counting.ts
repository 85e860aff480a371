import type { MiddlewareHandler } from 'hono'

/** Body bytes that the origin sent, by path, as they left it. */
export class ByteCount {
  readonly #bytes = new Map<string, number>()
  readonly #requests = new Map<string, number>()

  bytes(path: string): number {
    return this.#bytes.get(path) ?? 0
  }

  requests(path: string): number {
    return this.#requests.get(path) ?? 0
  }

  /** Requests for everything below a folder. */
  requestsBelow(folder: string): number {
    return [...this.#requests].reduce((sum, [path, count]) => sum + (path.startsWith(folder) ? count : 0), 0)
  }

  reset(): void {
    this.#bytes.clear()
    this.#requests.clear()
  }

  /** Counts while the body goes by: of an answer that breaks off, only what was sent. */
  readonly middleware: MiddlewareHandler = async (context, next) => {
    await next()
    const path = new URL(context.req.url).pathname
    this.#requests.set(path, this.requests(path) + 1)
    const { body } = context.res
    if (body === null || context.req.method === 'HEAD') return
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        this.#bytes.set(path, this.bytes(path) + piece.length)
        controller.enqueue(piece)
      },
    })
    context.res = new Response(body.pipeThrough(count), context.res)
  }
}
