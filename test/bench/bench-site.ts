import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import type { MiddlewareHandler } from 'hono'
import { Hono } from 'hono'
import type * as OriginModule from '../../origin/index.ts'
import type { OriginOptions } from '../../origin/index.ts'
import { OriginCount } from './origin-count.ts'
import type { LinkShape, ShapedLink } from './shaped-link.ts'
import { openShapedLink } from './shaped-link.ts'

/** A site on an origin of its own. */
export interface BenchSite {
  readonly url: string
  readonly count: OriginCount
  readonly close: () => Promise<void>
}

/** Its origin is behind a shaped line. */
export interface DistantSite extends BenchSite {
  readonly link: ShapedLink
}

export interface BenchSiteOptions {
  /** The repository. */
  readonly root: string
  readonly withUs: boolean
  /** Writes the site's files into this folder. */
  readonly write: (folder: string) => Promise<void>
  readonly origin?: Partial<OriginOptions>
  /** Sees each request first. */
  readonly middleware?: MiddlewareHandler
}

/** On the other end of a line. */
export async function openDistantSite(options: BenchSiteOptions, shape: LinkShape): Promise<DistantSite> {
  const { folder, count, server, close } = await openServer(options)
  // A local socket holds some 200 KB; TCP on loopback takes megabytes that count as sent before the line has carried them.
  const path = process.platform === 'win32' ? `\\\\.\\pipe\\${basename(folder)}` : join(folder, 'origin.sock')
  await listen(server, path)
  const link = await openShapedLink(path, shape)
  return {
    url: `http://localhost:${link.port}`,
    count,
    link,
    close: async () => {
      await link.close()
      await close()
    },
  }
}

/** On loopback, with nothing in between. */
export async function openNearSite(options: BenchSiteOptions): Promise<BenchSite> {
  const { count, server, close } = await openServer(options)
  await listen(server, undefined)
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, count, close }
}

async function openServer({ root, withUs, write, origin: wished, middleware }: BenchSiteOptions): Promise<{
  readonly folder: string
  readonly count: OriginCount
  readonly server: Server
  readonly close: () => Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'nearhand-bench-'))
  await mkdir(join(folder, 'public'))
  await write(join(folder, 'public'))
  const { createOrigin } = await builtOrigin(root)
  const origin = await createOrigin({
    folder: join(folder, 'public'),
    state: join(folder, 'state'),
    inject: withUs ? { consent: 'granted' } : false,
    lan: true,
    stun: false,
    log: () => {},
    ...wished,
  })
  const count = new OriginCount()
  const app = new Hono().use(count.middleware)
  if (middleware) app.use(middleware)
  app.route('/', origin.app)
  const listener = getRequestListener(app.fetch)
  const server = createServer((request, response) => void listener(request, response))
  if (withUs) origin.attach(server)
  return {
    folder,
    count,
    server,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await origin.close()
      await closed
      await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

async function listen(server: Server, path: string | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
}

/** The origin as the package exports it: only the built one knows where its scripts lie. */
async function builtOrigin(root: string): Promise<typeof OriginModule> {
  return import(new URL('dist/npm/origin/index.js', `file://${root}/`).href)
}
