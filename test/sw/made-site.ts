import { bytesRepresentation } from '../../origin/representation.ts'
import { serveAsset } from '../../origin/serve-asset.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { manifestFiles, manifestFolder, mediaTypes } from '../../protocol/manifest.ts'
import type { TestKey } from '../protocol/signers.ts'
import { keysOf, roleOf, signJson, testKey } from '../protocol/signers.ts'
import { etagOf } from '../../sw/plan.ts'
import type { MadeAsset } from './made-asset.ts'

export const siteUrl = 'http://site.test/'
const site = 'a'.repeat(32)

export interface SeenRequest {
  readonly path: string
  readonly range: string | undefined
}

/** An origin that really signs and really serves, without a network. */
export class MadeSite {
  /** Milliseconds since 1970. */
  now = 1_800_000_000_000
  readonly seen: SeenRequest[] = []
  /** Answers in the origin's place; undefined: the origin answers itself. */
  intercept: (path: string, signal: AbortSignal | undefined) => Response | Promise<Response> | undefined = () =>
    undefined
  /** Bodies of the manifest folder by file name. */
  readonly files = new Map<string, Uint8Array<ArrayBuffer> | string>()
  readonly root: string
  readonly #keys: readonly [root: TestKey, head: TestKey, fresh: TestKey]
  #assets: readonly MadeAsset[] = []
  #seq = 0

  constructor(root: string, keys: readonly [TestKey, TestKey, TestKey]) {
    this.root = root
    this.#keys = keys
  }

  get seconds(): number {
    return this.now / 1000
  }

  /** Makes the assets the site's newest deploy. */
  async deploy(assets: readonly MadeAsset[]): Promise<void> {
    this.#seq += 1
    this.#assets = assets
    const sorted = assets.toSorted((one, other) => (one.asset.path < other.asset.path ? -1 : 1))
    const rows = sorted.map(({ asset }) => [asset.path, 0, asset.size, asset.chunkSize, asset.id])
    const bin = utf8(JSON.stringify({ rows }))
    const binId = await contentIdOf(bin)
    this.files.set(manifestFiles.part(binId), bin)
    for (const { asset, list, content } of assets) {
      if (list.length > 0) this.files.set(manifestFiles.part(asset.id), list)
      this.files.set(manifestFiles.content(asset.id), content)
    }
    const head = {
      site,
      seq: this.#seq,
      created: this.seconds,
      expires: this.seconds + 30 * 86_400,
      previous: null,
      sections: ['/'],
      headerSets: [[['content-type', 'application/octet-stream']]],
      assetCount: assets.length,
      indexDepth: 0,
      index: sorted[0] ? [[sorted[0].asset.path, binId]] : [],
    }
    const headHash = await contentIdOf(utf8(JSON.stringify(head)))
    this.files.set(manifestFiles.head(headHash), await signJson(mediaTypes.head, head, [this.#keys[1]]))
    await this.sayFresh({ head: headHash })
  }

  /** Signs a fresh of this moment. */
  async sayFresh(fields: {
    head?: ContentId
    peers?: boolean
    revoked?: readonly ContentId[]
    seq?: number
  }): Promise<void> {
    this.#fresh = {
      ...this.#fresh,
      site,
      seq: this.#seq,
      issued: this.seconds,
      expires: this.seconds + 300,
      ...fields,
    }
    this.files.set(manifestFiles.fresh, await signJson(mediaTypes.fresh, this.#fresh, [this.#keys[2]]))
  }

  #fresh: Record<string, unknown> = { peers: true, revoked: [] }

  /** What a browser's fetch would do. */
  readonly fetch = async (input: string | Request, init?: RequestInit): Promise<Response> => {
    const request = typeof input === 'string' ? new Request(input, { ...init, mode: 'cors' }) : input
    request.signal.throwIfAborted()
    const path = new URL(request.url).pathname
    this.seen.push({ path, range: request.headers.get('range') ?? undefined })
    return (await this.intercept(path, init?.signal ?? undefined)) ?? this.#serve(request, path)
  }

  /** Requests for files of the site, without those for its manifest. */
  get assetRequests(): readonly SeenRequest[] {
    return this.seen.filter(({ path }) => !path.includes(manifestFolder))
  }

  async #serve(request: Request, path: string): Promise<Response> {
    const folder = `/${manifestFolder}/`
    if (path.startsWith(folder)) {
      const file = this.files.get(path.slice(folder.length))
      if (file === undefined) return new Response('not here', { status: 404 })
      const bytes = typeof file === 'string' ? utf8(file) : file
      return serveAsset(request, bytesRepresentation(bytes, { etag: '"file"', headers: [] }))
    }
    const found = this.#assets.find(({ asset }) => asset.path === path)
    if (found === undefined) return new Response('not here', { status: 404 })
    const facts = { etag: etagOf(found.asset), headers: found.asset.headers }
    return serveAsset(request, bytesRepresentation(found.content, facts))
  }
}

export async function makeSite(): Promise<MadeSite> {
  const keys = await Promise.all([testKey(1), testKey(2), testKey(3)])
  const [rootKey, headKey, freshKey] = keys
  const root = {
    site,
    version: 1,
    expires: 4_000_000_000,
    keys: keysOf(keys),
    roles: { root: roleOf([rootKey]), head: roleOf([headKey]), fresh: roleOf([freshKey]) },
  }
  return new MadeSite(await signJson(mediaTypes.root, root, [rootKey]), keys)
}
