import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type * as OriginModule from '../../origin/index.ts'
import { mediaPage } from './bench-page.ts'
import { OriginCount } from './origin-count.ts'
import type { LinkShape, ShapedLink } from './shaped-link.ts'
import { openShapedLink } from './shaped-link.ts'

/** A site on an origin of its own, behind a shaped line. */
export interface BenchSite {
  readonly url: string
  readonly count: OriginCount
  readonly link: ShapedLink
  close(): Promise<void>
}

/** Pages of the benchmark's site. */
export const pages = {
  /** No media: installs the worker, where there is one. */
  start: '/start.html',
  /** Loads all media as it opens. */
  media: '/media.html',
  /** Loads all media when told to. */
  inserted: '/inserted.html',
} as const

/** @param root the repository */
export async function openBenchSite(root: string, withUs: boolean, shape: LinkShape): Promise<BenchSite> {
  const folder = await mkdtemp(join(tmpdir(), 'nearhand-bench-'))
  await writeSite(join(root, 'demo/site'), join(folder, 'public'))
  const { createOrigin } = await builtOrigin(root)
  const origin = await createOrigin({
    folder: join(folder, 'public'),
    state: join(folder, 'state'),
    inject: withUs ? { consent: 'granted' } : false,
    lan: true,
    stun: false,
    log: () => {},
  })
  const count = new OriginCount()
  const app = new Hono().use(count.middleware).route('/', origin.app)
  // A local socket holds some 200 KB; TCP on loopback takes megabytes that count as sent before the line has carried them.
  const socketPath = process.platform === 'win32' ? `\\\\.\\pipe\\${basename(folder)}` : join(folder, 'origin.sock')
  const listener = getRequestListener(app.fetch)
  const server = createServer((request, response) => void listener(request, response))
  if (withUs) origin.attach(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(socketPath, resolve)
  })
  const link = await openShapedLink(socketPath, shape)
  return {
    url: `http://localhost:${link.port}`,
    count,
    link,
    close: async () => {
      await link.close()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await origin.close()
      await closed
      await rm(folder, { recursive: true, force: true, maxRetries: 10 })
    },
  }
}

/** The demo's media, on pages of the benchmark's own. */
async function writeSite(demo: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of ['plates', 'film']) await cp(join(demo, name), join(folder, name), { recursive: true })
  const plates = (await readdir(join(folder, 'plates'))).toSorted()
  const images = plates.map((name) => `/plates/${name}`)
  const film = (await readdir(join(folder, 'film'))).find((name) => name.endsWith('.mp4'))
  if (film === undefined) throw new Error('Cannot make the site: the demo has no film')
  await writeFile(join(folder, pages.start), mediaPage([], '', false))
  await writeFile(join(folder, pages.media), mediaPage(images, `/film/${film}`, true))
  await writeFile(join(folder, pages.inserted), mediaPage(images, `/film/${film}`, false))
}

/** The origin as the package exports it: only the built one knows where its scripts lie. */
async function builtOrigin(root: string): Promise<typeof OriginModule> {
  return import(new URL('dist/npm/origin/index.js', `file://${root}/`).href)
}
