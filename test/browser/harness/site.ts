import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { Server } from 'node:http'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import type * as OriginModule from '../../../origin/index.ts'
import { signFresh } from '../../../origin/fresh.ts'
import type { Origin, OriginOptions } from '../../../origin/index.ts'
import type { SiteKeys } from '../../../origin/keys.ts'
import { readKeys } from '../../../origin/keys.ts'
import type { SwitchesFile } from '../../../origin/switches.ts'
import { readSwitches, writeSwitches } from '../../../origin/switches.ts'
import { makeAssets, sha256Of } from './assets.ts'
import { ByteCount } from './counting.ts'
import type { Scene } from './scene.ts'
import { sitePage } from './site-page.ts'
import type { Loaded, LoadOptions } from './visitor.ts'

export interface SiteOptions extends Omit<OriginOptions, 'folder' | 'state' | 'inject' | 'stun'> {
  /** Whether visitors can reach a tracker. Default: true. */
  readonly tracker?: boolean
}

type Answer = (request: Request) => Promise<Response> | Response | undefined

/** Default patterns of the test site: everything below these folders, never what is private. */
const patterns = ['/images/**', '/files/**', '/scripts/**', '/media/**', '!/private/**']

interface Folders {
  readonly folder: string
  readonly state: string
}

/** A small site with the origin that the package exports, on a real socket. */
export class Site {
  readonly count = new ByteCount()
  readonly assets: ReadonlyMap<string, Uint8Array>
  readonly #options: OriginOptions & Folders
  readonly #hasTracker: boolean
  readonly #answers = new Map<string, Answer>()
  readonly #held = new Map<string, Promise<void>>()
  readonly #releases = new Set<() => void>()
  #running: { server: Server; origin: Origin } | undefined
  #port = 0

  constructor(assets: ReadonlyMap<string, Uint8Array>, options: OriginOptions & Folders, hasTracker: boolean) {
    this.assets = assets
    this.#options = options
    this.#hasTracker = hasTracker
  }

  /** Where its files lie. */
  get folder(): string {
    return this.#options.folder
  }

  keys(): Promise<SiteKeys> {
    return readKeys(join(this.#options.state, 'keys'))
  }

  get url(): string {
    return `http://localhost:${this.#port}`
  }

  asset(path: string): Uint8Array {
    const content = this.assets.get(path)
    if (content === undefined) throw new TypeError(`Cannot find ${path}: not an asset of the test site`)
    return content
  }

  /** From now on this path is answered so, and the origin is not asked unless the answer is undefined. */
  answer(path: string, answer: Answer): void {
    this.#answers.set(path, answer)
  }

  /**
   * From now on a GET of these paths is taken and not answered, until the returned function is called or the site stops:
   * whoever has them all the same has them from elsewhere, on however slow a machine.
   */
  hold(paths: readonly string[]): () => void {
    let release = (): void => {}
    const released = new Promise<void>((resolve) => (release = resolve))
    for (const path of paths) this.#held.set(path, released)
    const letGo = (): void => {
      for (const path of paths) if (this.#held.get(path) === released) this.#held.delete(path)
      this.#releases.delete(letGo)
      release()
    }
    this.#releases.add(letGo)
    return letGo
  }

  /** What the origin itself says, asked past every browser. */
  async ask(path: string, options: LoadOptions = {}): Promise<Loaded> {
    const headers = { 'accept-encoding': 'identity', ...options.headers }
    const response = await fetch(`${this.url}${path}`, { ...options, headers })
    const body = new Uint8Array(await response.arrayBuffer())
    const { status } = response
    return { status, headers: Object.fromEntries(response.headers), size: body.length, sha256: sha256Of(body) }
  }

  /** The origin's own word about its newest head, as it would have been signed at another time. */
  async signFresh(now: Date, seconds: number): Promise<string> {
    if (this.#running === undefined) throw new Error('Cannot sign fresh: the origin is stopped')
    const { heads } = this.#running.origin.publication
    const keys = await this.keys()
    const signedAt = Math.floor(now.getTime() / 1000)
    return signFresh(keys, heads, { now: signedAt, seconds, peers: true, revoked: [] })
  }

  /** As the operator does on the command line: the running origin notices, and tells every visitor. */
  async switch(changes: Partial<SwitchesFile>): Promise<void> {
    const { state } = this.#options
    await writeSwitches(state, { ...(await readSwitches(state)), ...changes })
  }

  /** On the same port and with the same keys as before. */
  async start(): Promise<void> {
    const { createOrigin } = await builtOrigin()
    const origin = await createOrigin(this.#options)
    const app = new Hono()
    app.use(this.count.middleware)
    app.use(async (context, next) => {
      if (context.req.method === 'GET') await this.#held.get(new URL(context.req.url).pathname)
      await next()
    })
    app.use(async (context, next) => {
      const answer = await this.#answers.get(new URL(context.req.url).pathname)?.(context.req.raw)
      return answer ?? next()
    })
    app.route('/', origin.app)
    const listener = getRequestListener(app.fetch)
    const server = createServer((request, response) => void listener(request, response))
    if (this.#hasTracker) origin.attach(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, '127.0.0.1', resolve)
    })
    this.#port = (server.address() as AddressInfo).port
    this.#running = { server, origin }
  }

  /** As a crash would: every connection ends at once. */
  async stop(): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    for (const letGo of this.#releases) letGo()
    const closed = new Promise((resolve) => running.server.close(resolve))
    running.server.closeAllConnections()
    await running.origin.close()
    await closed
  }
}

export async function openSite(scene: Scene, options: SiteOptions = {}): Promise<Site> {
  const { tracker = true, ...rest } = options
  const root = await mkdtemp(join(tmpdir(), 'nearhand-site-'))
  scene.onEnd(() => rm(root, { recursive: true, force: true, maxRetries: 10 }))
  const clip = await readFile(new URL('../media/clip.mp4', import.meta.url))
  const assets = new Map([...makeAssets(clip), ['/index.html', page('granted')], ['/ask.html', page('ask')]])
  for (const [path, content] of assets) {
    const file = join(root, 'public', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
  const site = new Site(
    assets,
    {
      patterns,
      lan: true,
      log: () => {},
      ...rest,
      stun: false,
      folder: join(root, 'public'),
      state: join(root, 'state'),
    },
    tracker,
  )
  scene.onEnd(() => site.stop())
  await site.start()
  return site
}

function page(consent: 'granted' | 'ask'): Uint8Array {
  return Buffer.from(sitePage(`<script src="/nearhand.js" data-consent="${consent}" async></script>`))
}

/** The origin as the package exports it: only the built one knows where its scripts lie. */
async function builtOrigin(): Promise<typeof OriginModule> {
  return import(new URL('../../../dist/npm/origin/index.js', import.meta.url).href)
}
