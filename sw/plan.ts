import type { Asset } from '../protocol/chunks.ts'

/** What a request will be answered with, before a byte of it is there. */
export interface Plan {
  readonly status: 200 | 206 | 304 | 416
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** Bytes of the asset from `start` up to but not with `end`; undefined where the answer has no body. */
  readonly body: { readonly start: number; readonly end: number } | undefined
}

type RequestHeaders = { get(name: string): string | null }
type ByteRange = { readonly start: number; readonly end: number }

/**
 * The answer to a GET of an asset: conditions first, then the range (RFC 9110 section 13.2.2). There is no
 * Last-Modified, so If-Modified-Since is never looked at and a date in If-Range never matches.
 *
 * @param isOtherHosts whether the page asked another host of the owner
 */
export function planResponse(asset: Asset, request: RequestHeaders, isOtherHosts: boolean = false): Plan {
  const etag = etagOf(asset)
  const fixed: Plan['headers'] = [['accept-ranges', 'bytes'], ['etag', etag], ...(isOtherHosts ? [othersAnswer] : [])]
  if (isNotModified(request.get('if-none-match'), etag)) {
    return { status: 304, headers: [...withoutType(asset), ...fixed], body: undefined }
  }
  const range = isRangeWanted(request, etag) ? parseRange(request.get('range'), asset.size) : undefined
  if (range === 'unsatisfiable') {
    const empty = [['content-range', `bytes */${asset.size}`] as const, ['content-length', '0'] as const]
    return { status: 416, headers: [...withoutType(asset), ...fixed, ...empty], body: undefined }
  }
  const body = range ?? { start: 0, end: asset.size }
  const headers: Plan['headers'] = [...asset.headers, ...fixed, ['content-length', String(body.end - body.start)]]
  if (range === undefined) return { status: 200, headers, body }
  const contentRange = `bytes ${range.start}-${range.end - 1}/${asset.size}`
  return { status: 206, headers: [...headers, ['content-range', contentRange]], body }
}

/** Pages that require it of what they load from elsewhere (COEP) had it of that host, and now have the answer of us. */
const othersAnswer = ['cross-origin-resource-policy', 'cross-origin'] as const

/** The same at every party, so that a cached answer of one is valid for all. */
export function etagOf(asset: Pick<Asset, 'id'>): string {
  return `"${asset.id.slice(0, 32)}"`
}

function withoutType(asset: Asset): Plan['headers'] {
  return asset.headers.filter(([name]) => name !== 'content-type')
}

/** Weak comparison (RFC 9110 section 13.1.2). */
function isNotModified(ifNoneMatch: string | null, etag: string): boolean {
  if (ifNoneMatch === null) return false
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || ifNoneMatch.trim() === '*'
}

/** Strong comparison: a weak tag, a date or another version all mean the whole content (RFC 9110 section 13.1.5). */
function isRangeWanted(request: RequestHeaders, etag: string): boolean {
  const ifRange = request.get('if-range')
  return ifRange === null || ifRange.trim() === etag
}

/** Undefined for no range, several ranges or a malformed one: each is answered whole (RFC 9110 section 14.2). */
function parseRange(header: string | null, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const length = Math.min(Number(last), size)
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size }
  }
  const start = Number(first)
  const end = last === '' ? size : Math.min(Number(last) + 1, size)
  // As whole numbers of any length: beyond 2^53 different ones look the same.
  if (last !== '' && BigInt(last) < BigInt(first)) return undefined
  return start >= size ? 'unsatisfiable' : { start, end }
}
