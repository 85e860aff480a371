import { bytesRepresentation } from '../../origin/representation.ts'
import { serveAsset } from '../../origin/serve-asset.ts'
import { utf8 } from '../../protocol/bytes.ts'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { defaultSwitches } from '../../origin/fresh.ts'
import type { Fresh, Head } from '../../protocol/manifest.ts'
import { manifestFiles, manifestFolder, mediaTypes } from '../../protocol/manifest.ts'
import type { TestKey } from '../protocol/signers.ts'
import { keysOf, roleOf, rootOf, signJson, testKey } from '../protocol/signers.ts'
import type { SitePlace } from '../../protocol/url-rules.ts'
import { etagOf } from '../../sw/plan.ts'
import type { MadeAsset } from './made-asset.ts'

export const siteUrl = 'http://site.test/'
export const sitePlace: SitePlace = { origin: 'http://site.test', base: '/' }
const site = 'a'.repeat(32)
export const delegatePrefix = '/uploads/'
const delegateKey = testKey(5)

type SiteTestKeys = readonly [root: TestKey, head: TestKey, fresh: TestKey, token: TestKey]

/** `seq` and `head` are those of the release head. */
type FreshFields = Partial<Fresh> & { readonly seq?: number; readonly head?: ContentId | undefined }

export interface SeenRequest {
  readonly path: string
  readonly range: string | undefined
}

/** An origin that really signs and really serves, without a network. */
export class MadeSite {
  /** Milliseconds since 1970. */
  now = 1_800_000_000_000
  readonly seen: SeenRequest[] = []
  /** The same requests' URLs. */
  readonly urls: string[] = []
  /** Answers in the origin's place; undefined: the origin answers itself. */
  intercept: (path: string, signal: AbortSignal | undefined) => Response | Promise<Response> | undefined = () =>
    undefined
  /** Bodies of the manifest folder by file name. */
  readonly files = new Map<string, Uint8Array<ArrayBuffer> | string>()
  readonly root: string
  #keys: SiteTestKeys
  #version = 1
  #assets: readonly MadeAsset[] = []
  #delegated: readonly MadeAsset[] = []
  #seq = 0
  #hash: ContentId | undefined
  #delegates: readonly (readonly [role: number, seq: number, hash: ContentId])[] = []

  constructor(root: string, keys: SiteTestKeys) {
    this.root = root
    this.#keys = keys
  }

  get seconds(): number {
    return this.now / 1000
  }

  /** Makes the next root, with a new key for fresh, signed as the protocol wants it. */
  async rotate(freshKey: TestKey, fields: Record<string, unknown> = {}): Promise<void> {
    const [root, head, , token] = this.#keys
    this.#keys = [root, head, freshKey, token]
    this.#version += 1
    const body = rootOf(site, this.#keys, { version: this.#version, ...fields })
    this.files.set(manifestFiles.rootOf(this.#version), await signJson(mediaTypes.root, body, [root]))
    this.#fresh = { ...this.#fresh, root: this.#version }
  }

  /** Makes the assets the site's newest deploy. */
  async deploy(assets: readonly MadeAsset[], fields: Partial<Head> = {}): Promise<void> {
    this.#seq += 1
    this.#assets = assets
    this.#hash = await this.#putHead(assets, this.#seq, this.#keys[1], fields)
    await this.sayFresh({})
  }

  /** The same for the server that publishes by itself below `delegatePrefix`. */
  async delegate(assets: readonly MadeAsset[], seq: number): Promise<ContentId> {
    this.#delegated = assets
    const hash = await this.#putHead(assets, seq, await delegateKey)
    this.#delegates = [[1, seq, hash]]
    await this.sayFresh({})
    return hash
  }

  async #putHead(
    assets: readonly MadeAsset[],
    seq: number,
    key: TestKey,
    fields: Partial<Head> = {},
  ): Promise<ContentId> {
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
      seq,
      created: this.seconds,
      expires: this.seconds + 30 * 86_400,
      previous: null,
      sections: ['/'],
      headerSets: [[['content-type', 'application/octet-stream']]],
      assetCount: assets.length,
      indexDepth: 0,
      index: sorted[0] ? [[sorted[0].asset.path, binId]] : [],
      ...fields,
    }
    const headHash = await contentIdOf(utf8(JSON.stringify(head)))
    this.files.set(manifestFiles.head(headHash), await signJson(mediaTypes.head, head, [key]))
    return headHash
  }

  /** Signs a fresh of this moment. */
  async sayFresh({ seq = this.#seq, head = this.#hash, ...fields }: FreshFields): Promise<void> {
    this.#fresh = {
      ...this.#fresh,
      site,
      heads: [[0, seq, head], ...this.#delegates],
      issued: this.seconds,
      expires: this.seconds + 300,
      ...fields,
    }
    this.files.set(manifestFiles.fresh, await signJson(mediaTypes.fresh, this.#fresh, [this.#keys[2]]))
  }

  #fresh: Record<string, unknown> = { root: 1, ...defaultSwitches }

  /** What a browser's fetch would do. */
  readonly fetch = async (input: string | Request, init?: RequestInit): Promise<Response> => {
    const request = typeof input === 'string' ? new Request(input, { ...init, mode: 'cors' }) : input
    request.signal.throwIfAborted()
    const path = new URL(request.url).pathname
    this.urls.push(request.url)
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
    const found = [...this.#delegated, ...this.#assets].find(({ asset }) => asset.path === path)
    if (found === undefined) return new Response('not here', { status: 404 })
    const facts = { etag: etagOf(found.asset), headers: found.asset.headers }
    return serveAsset(request, bytesRepresentation(found.content, facts))
  }
}

export async function makeSite(): Promise<MadeSite> {
  const keys = await Promise.all([testKey(1), testKey(2), testKey(3), testKey(4)])
  const delegate = await delegateKey
  const body = rootOf(site, keys)
  const roles = { ...(body['roles'] as object), delegates: [{ ...roleOf([delegate]), prefixes: [delegatePrefix] }] }
  const root = { ...body, keys: keysOf([...keys, delegate]), roles }
  return new MadeSite(await signJson(mediaTypes.root, root, [keys[0]]), keys)
}
