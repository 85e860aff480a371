import * as v from 'valibot'
import type { Asset } from './chunks.ts'
import { ProtocolError } from './errors.ts'
import type { ContentId, SiteId } from './ids.ts'
import { contentIdSchema, keyIdSchema, siteIdSchema } from './ids.ts'
import { parseJson } from './json.ts'
import {
  assetLimitBytes,
  binRowLimit,
  freshLifeFloorSeconds,
  freshLifeLimitSeconds,
  freshLimitBytes,
  headLimitBytes,
  headerSetLimit,
  headersPerSetLimit,
  headerValueLimit,
  indexDepthLimit,
  indexRowLimit,
  keyLimit,
  maxChunkBytes,
  minChunkBytes,
  partLimitBytes,
  revokedLimit,
  rootLimitBytes,
  delegateLimit,
  graceLimitSeconds,
  minimumSwarmLimit,
  prefixLimit,
  sectionLimit,
} from './limits.ts'
import { pathSchema, prefixSchema } from './path-schemas.ts'
import type { PublicKey, Role } from './signature.ts'
import { list, text, whole } from './schemas.ts'
import type { UrlRules } from './url-rules.ts'
import { urlRulesSchema } from './url-rules.ts'

/** Media types of the signed objects; also the types in their envelopes. */
export const mediaTypes = {
  root: 'application/vnd.nearhand.root+json;v=1',
  head: 'application/vnd.nearhand.head+json;v=1',
  fresh: 'application/vnd.nearhand.fresh+json;v=1',
} as const

/** Header of a page's answer: the heads with which the page was made, with commas between. */
export const headHeader = 'nearhand-head'

/** Where a site's manifest lives, below the site's base path. */
export const manifestFolder = '.well-known/nearhand'

/** File names below the manifest folder. Everything but `root.json` and `fresh.json` never changes. */
export const manifestFiles = {
  /** The newest root. */
  root: 'root.json',
  /** Each root that there was, so that whoever missed some can walk from one to the next. */
  rootOf: (version: number): string => `roots/${version}.json`,
  fresh: 'fresh.json',
  head: (bodyHash: ContentId): string => `heads/${bodyHash}.json`,
  part: (id: ContentId): string => `parts/${id}`,
  content: (id: ContentId): string => `content/${id}`,
} as const

/** A role that holds only for paths that begin with one of these. */
export interface PrefixRole extends Role {
  readonly prefixes: readonly string[]
}

/** The trust anchor: keys and roles of one site. Pinned in the site's worker file. */
export interface Root {
  readonly site: SiteId
  /** The next root is signed by the keys of this one and by its own. */
  readonly version: number
  /** Seconds since 1970, as all times of the manifest. */
  readonly created: number
  readonly expires: number
  /** No head with a lower seq is believed, also on a device that lost its memory. */
  readonly floor: number
  /** The longest life of a fresh, in seconds: one that a stolen key signed for years is refused. */
  readonly freshSeconds: number
  readonly keys: Readonly<Record<string, PublicKey>>
  readonly roles: {
    readonly root: Role
    /** Signs heads for the whole site: the release key. */
    readonly head: Role
    /** Sign heads too, of which only these paths count: servers that publish by themselves. */
    readonly delegates: readonly PrefixRole[]
    readonly fresh: Role
    /** Sign live segments below these paths. */
    readonly live: readonly PrefixRole[]
    /** Signs the passes with which visitors join. */
    readonly token: Role
  }
}

/** Who signed a head: 0 is the release role, and n the nth of the root's delegates. It means nothing beside another root. */
export type HeadRole = number
export const releaseRole: HeadRole = 0

/** A head that fresh says is the newest of its role. */
export interface NamedHead {
  readonly role: HeadRole
  readonly seq: number
  /** SHA-256 of the body of the head. */
  readonly hash: ContentId
}

/** One row of an index: a part and the first path that it holds. Rows stand in path order. */
export interface IndexRow {
  readonly first: string
  readonly id: ContentId
}

/** What a deploy signs: the whole catalogue, by hash. */
export interface Head {
  readonly site: SiteId
  /** Grows by one or more with each deploy. */
  readonly seq: number
  readonly created: number
  readonly expires: number
  /** SHA-256 of the body of the head before, null at the first. */
  readonly previous: ContentId | null
  /** Path prefixes that have swarms of their own. `/` is always among them. */
  readonly sections: readonly string[]
  /** Those whose assets are only for visitors whose pass names them. Left out: none. */
  readonly guarded?: readonly string[] | undefined
  /** Which URLs are one asset. Left out: each asset has one, on the site's own host and without a query. */
  readonly urls?: UrlRules | undefined
  /** Header tables that rows refer to by position. */
  readonly headerSets: readonly (readonly (readonly [name: string, value: string])[])[]
  readonly assetCount: number
  /** 0: the rows of `index` are bins; 1: they are index pages whose rows are bins; and so on. */
  readonly indexDepth: number
  readonly index: readonly IndexRow[]
}

/** What the origin says every few minutes: which heads hold, what was revoked, whether peers may be used. */
export interface Fresh {
  readonly site: SiteId
  /** Version of the newest root. */
  readonly root: number
  /** Of each role that ever published under this root the newest, in the order of the roles. */
  readonly heads: readonly NamedHead[]
  readonly issued: number
  readonly expires: number
  /** Seconds after `expires` for which it still holds where neither origin nor tracker can be reached. */
  readonly grace: number
  /** The kill switch: false turns peers off for the whole site. */
  readonly peers: boolean
  /** Path prefixes for which peers are off. */
  readonly off: readonly string[]
  /** Share of the visitors that may use peers, from 0 to 1: a new release is tried on few first. */
  readonly share: number
  /** Visitors in a swarm, oneself included, below which nobody is introduced. */
  readonly minimumSwarm: number
  /** True makes every worker of the site unregister itself. */
  readonly unregister: boolean
  /** Content that is not to be served by anybody any more. */
  readonly revoked: readonly ContentId[]
}

export type BinRow = readonly [path: string, headerSet: number, size: number, chunkSize: number, id: ContentId]

const count = whole()
const time = count
const roleEntries = {
  keys: v.pipe(
    list(keyIdSchema, keyLimit, 1),
    v.check((keys) => new Set(keys).size === keys.length, 'a key stands twice'),
  ),
  threshold: whole(1, keyLimit),
}
const roleSchema = v.pipe(
  v.strictObject(roleEntries),
  v.check(({ keys, threshold }) => threshold <= keys.length, 'a threshold that cannot be reached'),
)
const prefixRoles = list(
  v.pipe(
    v.strictObject({ ...roleEntries, prefixes: list(prefixSchema, prefixLimit, 1) }),
    v.check(({ keys, threshold }) => threshold <= keys.length, 'a threshold that cannot be reached'),
  ),
  delegateLimit,
)

const rootSchema = v.strictObject({
  site: siteIdSchema,
  version: whole(1),
  created: time,
  expires: time,
  floor: count,
  freshSeconds: whole(freshLifeFloorSeconds, freshLifeLimitSeconds),
  keys: v.pipe(
    v.record(
      v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
      v.strictObject({ algorithm: v.literal('Ed25519'), public: text(44, 44) }),
    ),
    v.check((keys) => Object.keys(keys).length <= keyLimit, 'too many keys'),
  ),
  roles: v.strictObject({
    root: roleSchema,
    head: roleSchema,
    delegates: prefixRoles,
    fresh: roleSchema,
    live: prefixRoles,
    token: roleSchema,
  }),
})

const indexRowsSchema = v.pipe(
  list(
    v.pipe(
      v.strictTuple([pathSchema, contentIdSchema]),
      v.transform(([first, id]): IndexRow => ({ first, id })),
    ),
    indexRowLimit,
  ),
  v.check((rows) => isAscending(rows, (row) => row.first), 'rows out of order'),
)

/** A header of the site must not be able to undo what the worker relies on, nor carry one visitor's state. */
const forbiddenHeaders = new Set([
  'accept-ranges',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'etag',
  'set-cookie',
  'transfer-encoding',
  'vary',
])

const headerSchema = v.strictTuple([
  v.pipe(
    v.string(),
    v.regex(/^[a-z][a-z0-9-]{0,63}$/, 'not a lower-case header name'),
    v.check((name) => !forbiddenHeaders.has(name), 'a header that is not the site’s to set'),
  ),
  v.pipe(text(headerValueLimit), v.regex(/^[\t\x20-\x7e]*$/, 'not a header value')),
])

const headSchema = v.pipe(
  v.strictObject({
    site: siteIdSchema,
    seq: whole(1),
    created: time,
    expires: time,
    previous: v.nullable(contentIdSchema),
    sections: v.pipe(
      list(prefixSchema, sectionLimit),
      v.check((sections) => sections.includes('/'), 'the section / is missing'),
    ),
    guarded: v.optional(list(prefixSchema, sectionLimit)),
    urls: v.optional(urlRulesSchema),
    headerSets: list(list(headerSchema, headersPerSetLimit), headerSetLimit),
    assetCount: count,
    indexDepth: whole(0, indexDepthLimit),
    index: indexRowsSchema,
  }),
  v.check(({ sections, guarded = [] }) => guarded.every((one) => sections.includes(one)), 'guarded, but no section'),
)

const freshSchema = v.strictObject({
  site: siteIdSchema,
  root: whole(1),
  heads: v.pipe(
    list(
      v.pipe(
        v.strictTuple([whole(0, delegateLimit), whole(1), contentIdSchema]),
        v.transform(([role, seq, hash]): NamedHead => ({ role, seq, hash })),
      ),
      delegateLimit + 1,
      1,
    ),
    v.check((heads) => isAscending(heads, ({ role }) => role), 'roles out of order'),
  ),
  issued: time,
  expires: time,
  grace: whole(0, graceLimitSeconds),
  peers: v.boolean(),
  off: list(prefixSchema, prefixLimit),
  share: v.pipe(
    v.number(),
    v.check((share) => share >= 0 && share <= 1, 'no share'),
  ),
  minimumSwarm: whole(1, minimumSwarmLimit),
  unregister: v.boolean(),
  revoked: list(contentIdSchema, revokedLimit),
})

const chunkSizeSchema = v.pipe(
  whole(minChunkBytes, maxChunkBytes),
  v.check((size) => Number.isInteger(Math.log2(size)), 'chunk size'),
)

const binSchema = v.strictObject({
  rows: v.pipe(
    list(
      v.strictTuple([
        pathSchema,
        whole(0, headerSetLimit - 1),
        whole(0, assetLimitBytes),
        chunkSizeSchema,
        contentIdSchema,
      ]),
      binRowLimit,
    ),
    v.check((rows) => isAscending(rows, (row) => row[0]), 'rows out of order'),
  ),
})

const pageSchema = v.strictObject({ rows: indexRowsSchema })

export function parseRoot(body: Uint8Array): Root {
  const root = parseJson(rootSchema, body, rootLimitBytes, 'root')
  for (const role of Object.values(root.roles).flat()) {
    for (const id of role.keys) {
      if (!Object.hasOwn(root.keys, id))
        throw new ProtocolError('malformed', 'Cannot read root: a role without its key')
    }
  }
  return root
}

export function parseHead(body: Uint8Array): Head {
  return parseJson(headSchema, body, headLimitBytes, 'head')
}

export function parseFresh(body: Uint8Array): Fresh {
  return parseJson(freshSchema, body, freshLimitBytes, 'fresh')
}

export function parseIndexPage(body: Uint8Array): readonly IndexRow[] {
  return parseJson(pageSchema, body, partLimitBytes, 'index page').rows
}

export function parseBin(body: Uint8Array): readonly BinRow[] {
  return parseJson(binSchema, body, partLimitBytes, 'bin').rows
}

/** As the format spells it. */
export function headTuple({ role, seq, hash }: NamedHead): readonly [HeadRole, number, ContentId] {
  return [role, seq, hash]
}

/** A row as an asset; its headers, its section and what is said of it come from the signed head. */
export function assetOfRow(row: BinRow, head: Head, section: string): Asset {
  const [assetPath, headerSet, size, chunkSize, id] = row
  const headers = head.headerSets[headerSet]
  if (headers === undefined) throw new ProtocolError('malformed', `Cannot read row: no header set ${headerSet}`)
  const isGuarded = head.guarded?.includes(section) === true
  const said = { ...(isGuarded && { isGuarded }), ...(head.urls && { urls: head.urls }) }
  return { path: assetPath, section, id, size, chunkSize, headers, ...said }
}

function isAscending<Row, Key extends string | number>(rows: readonly Row[], key: (row: Row) => Key): boolean {
  let last: Key | undefined
  for (const row of rows) {
    const current = key(row)
    if (last !== undefined && current <= last) return false
    last = current
  }
  return true
}
