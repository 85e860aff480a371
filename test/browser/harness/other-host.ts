import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scene } from './scene.ts'

/** A host of the same owner beside the site's own, on another port. */
export interface OtherHost {
  readonly url: string
  /** Paths and queries of the requests for whole files, or for more of them than a look. */
  readonly asked: string[]
  /** Whether any request had a cookie. */
  readonly hadCookie: boolean
  /** From now on a request is taken, and answered only where it is but a look: who has a file has it from elsewhere. */
  hold(): void
}

/** @param hasCors whether pages of other origins may read its answers */
export async function openOtherHost(
  scene: Scene,
  assets: ReadonlyMap<string, Uint8Array>,
  hasCors: boolean,
): Promise<OtherHost> {
  const asked: string[] = []
  let hadCookie = false
  let isHeld = false
  const server: Server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://other.test')
    const content = assets.get(pathname)
    hadCookie ||= request.headers.cookie !== undefined
    if (hasCors) response.setHeader('access-control-allow-origin', '*')
    if (content === undefined || request.method !== 'GET') {
      response.writeHead(404).end()
      return
    }
    const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
    const end = Math.min(last === '' ? content.length : Number(last), content.length - 1)
    const start = Number(first)
    if (end > 0) asked.push(pathname + search)
    if (end > 0 && isHeld) return
    const isWhole = request.headers.range === undefined
    response.writeHead(isWhole ? 200 : 206, {
      'content-type': pathname.endsWith('.mp4') ? 'video/mp4' : 'image/png',
      ...(!isWhole && { 'content-range': `bytes ${start}-${end}/${content.length}` }),
    })
    response.end(content.subarray(start, end + 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scene.onEnd(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  const { port } = server.address() as AddressInfo
  return {
    url: `http://localhost:${port}`,
    asked,
    hold: () => void (isHeld = true),
    get hadCookie() {
      return hadCookie
    },
  }
}
