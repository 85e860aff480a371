import type { MiddlewareHandler } from 'hono'

/** Body bytes that an origin sent, after content coding: those of the site, and those that are there because of us. */
export interface OriginBytes {
  readonly site: number
  readonly ours: number
}

const oursForm = /^\/(?:\.well-known\/nearhand\/|nearhand[\w-]*\.js$)/

export class OriginCount {
  #site = 0
  #ours = 0

  get bytes(): OriginBytes {
    return { site: this.#site, ours: this.#ours }
  }

  /** Counts while the body goes by: of an answer that breaks off, only what was sent. */
  readonly middleware: MiddlewareHandler = async (context, next) => {
    await next()
    const { body } = context.res
    if (body === null || context.req.method === 'HEAD') return
    // Content by its id is the site's own bytes under another name.
    const { pathname } = new URL(context.req.url)
    const isOurs = oursForm.test(pathname) && !pathname.includes('/content/')
    const count = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        if (isOurs) this.#ours += piece.length
        else this.#site += piece.length
        controller.enqueue(piece)
      },
    })
    context.res = new Response(body.pipeThrough(count), context.res)
  }
}
