import type { Context } from 'hono'
import { Hono } from 'hono'
import { ProtocolError } from '../protocol/errors.ts'
import { joinFile, parseJoinRequest } from '../protocol/join.ts'
import { joinRequestBytes } from '../protocol/limits.ts'
import { concatBytes, textOf } from '../protocol/bytes.ts'
import { manifestFiles, manifestFolder } from '../protocol/manifest.ts'
import type { Representation } from './representation.ts'
import { serveAsset } from './serve-asset.ts'
import { findManifestFile, textRepresentation } from './serve-manifest.ts'
import type { SiteAnswer } from './site-files.ts'

const json = 'application/json; charset=utf-8'

/** What the routes ask. */
export interface Site {
  readonly base: string
  readonly manifestFolder: string
  /** @param pathname below the base, beginning with `/` */
  find(pathname: string): Promise<SiteAnswer | undefined>
  /** The signed word about the newest head, or undefined where none holds. */
  fresh(): Promise<string | undefined>
  /** The bytes that an id names, of this and the last heads. */
  content(id: string): Promise<Representation | undefined>
  /** Whether the operator took the content down. */
  isRevoked(id: string): boolean
  /** One of our scripts by its file name. */
  script(name: string): Representation | undefined
  /** What a visitor with this certificate joins, as JSON text; undefined where this machine lets nobody join. */
  join(request: Request, fingerprint: string): Promise<string | undefined>
  /** Whether pages of another web origin may join. */
  isAllowedOrigin(origin: string): boolean
  health(): Readonly<Record<string, unknown>>
  log(line: string): void
}

/** The origin's routes. What is not ours goes on to the routes behind. */
export function createApp(site: Site): Hono {
  const app = new Hono()
  app.get('/healthz', (context) => context.json(site.health(), 200, { 'cache-control': 'no-store' }))
  // Hono would compare an escaped base with paths that it unescaped.
  app.use('*', async (context, next) => {
    const { request, pathname, path } = read(context, site.base)
    if (path === `/${manifestFolder}/${joinFile}`) return answerJoin(site, request)
    if (!isRead(request)) return next()
    // The base without its slash.
    if (path === undefined) return `${pathname}/` === site.base ? redirect(site.base, request) : next()
    const response = await answer(site, request, path)
    if (response === undefined) return next()
    return response
  })
  app.notFound(async (context) => {
    const { request } = read(context, site.base)
    if (!isRead(request)) return context.text('405 Method Not Allowed', 405, { allow: 'GET, HEAD' })
    const page = await site.find('/404.html')
    return page?.type === 'representation'
      ? serveNotFound(request, page.representation)
      : context.text('404 Not Found', 404)
  })
  app.onError((error, context) => {
    site.log(`Cannot answer ${context.req.method} ${context.req.path}: ${error.message}`)
    return context.text('500 Internal Server Error', 500)
  })
  return app
}

async function answer(site: Site, request: Request, path: string): Promise<Response | undefined> {
  if (path.startsWith(`/${manifestFolder}/`))
    return answerManifest(site, request, path.slice(manifestFolder.length + 2))
  const script = site.script(path.slice(1))
  if (script) return serveAsset(request, script)
  const found = await site.find(path)
  if (found === undefined) return undefined
  if (found.type === 'gone') return gone()
  if (found.type === 'representation') return serveAsset(request, found.representation)
  return redirect(site.base + found.path.slice(1), request)
}

function redirect(path: string, { url }: Request): Response {
  const location = path + new URL(url).search
  return new Response(null, { status: 308, headers: { location, 'cache-control': 'no-cache' } })
}

async function answerManifest(site: Site, request: Request, name: string): Promise<Response | undefined> {
  if (name === manifestFiles.fresh) {
    const fresh = await site.fresh()
    return fresh === undefined ? absent() : serveAsset(request, unstored(fresh))
  }
  if (name.startsWith('content/') && site.isRevoked(name.slice('content/'.length))) return gone()
  const found = name.startsWith('content/')
    ? await site.content(name.slice('content/'.length))
    : await findManifestFile(site.manifestFolder, name)
  return found === undefined ? absent() : serveAsset(request, found)
}

async function answerJoin(site: Site, request: Request): Promise<Response> {
  const response = await joinResponse(site, request)
  response.headers.append('vary', 'origin')
  const origin = request.headers.get('origin')
  if (origin !== null && site.isAllowedOrigin(origin)) response.headers.set('access-control-allow-origin', origin)
  return response
}

async function joinResponse(site: Site, request: Request): Promise<Response> {
  const headers = { 'cache-control': 'no-store' }
  if (request.method !== 'POST') return new Response(null, { status: 405, headers: { ...headers, allow: 'POST' } })
  try {
    const { fingerprint } = parseJoinRequest(await readText(request, joinRequestBytes))
    const text = await site.join(request, fingerprint)
    return text === undefined ? absent() : new Response(text, { headers: { ...headers, 'content-type': json } })
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return new Response(null, { status: 400, headers })
  }
}

/** The body as text. A longer one is refused as soon as it is, whatever its announced length. */
async function readText({ body }: Request, limit: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > limit) throw new ProtocolError('oversized', `Cannot read body: over ${limit} bytes`)
    chunks.push(chunk)
  }
  return textOf(concatBytes(chunks))
}

function unstored(text: string): Representation {
  return textRepresentation(text, [
    ['content-type', json],
    ['cache-control', 'no-store'],
  ])
}

/** A name below the manifest folder that there is not: nobody else's route, and nothing to keep. */
function absent(): Response {
  return new Response(null, { status: 404, headers: { 'cache-control': 'no-store' } })
}

/** What the operator took down, and may put back: nothing to keep. */
function gone(): Response {
  return new Response('410 Gone', { status: 410, headers: { 'cache-control': 'no-store' } })
}

/** The site's own page for what there is not. It has no validators and no ranges: it stands for any path. */
async function serveNotFound({ method, url }: Request, page: Representation): Promise<Response> {
  const response = await serveAsset(new Request(url, { method }), page)
  for (const name of ['etag', 'last-modified', 'accept-ranges']) response.headers.delete(name)
  return new Response(response.body, { status: 404, headers: response.headers })
}

function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}

function read(context: Context, base: string): { request: Request; pathname: string; path: string | undefined } {
  const request = context.req.raw
  const { pathname } = new URL(request.url)
  return { request, pathname, path: pathname.startsWith(base) ? pathname.slice(base.length - 1) : undefined }
}
