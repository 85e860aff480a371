import type { ByteRange } from './range.ts'
import { parseRange } from './range.ts'

/** What the conditions of a request are held against. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string
  /** Milliseconds since 1970; undefined where the response names no time. */
  readonly modifiedMs?: number | undefined
}

export type Plan = { readonly status: 200 | 304 | 412 | 416 } | { readonly status: 206; readonly range: ByteRange }

/**
 * Status and range of the answer to GET or HEAD, in the order of RFC 9110 section 13.2.2.
 *
 * @param size of the body without a content coding
 */
export function planAnswer(method: string, headers: Headers, validators: Validators, size: number): Plan {
  const ifMatch = headers.get('if-match')
  if (ifMatch !== null && !isListed(ifMatch, validators.etag, isSameStrongly)) return { status: 412 }
  if (ifMatch === null && isModifiedAfter(headers.get('if-unmodified-since'), validators)) return { status: 412 }
  const ifNoneMatch = headers.get('if-none-match')
  if (ifNoneMatch !== null && isListed(ifNoneMatch, validators.etag, isSameWeakly)) return { status: 304 }
  if (ifNoneMatch === null && isModifiedAfter(headers.get('if-modified-since'), validators) === false) {
    return { status: 304 }
  }
  // Range is defined for GET alone (section 14.2).
  if (method !== 'GET' || !isRangeValid(headers.get('if-range'), validators.etag)) return { status: 200 }
  const range = parseRange(headers.get('range'), size)
  if (range === 'whole') return { status: 200 }
  return range === 'unsatisfiable' ? { status: 416 } : { status: 206, range }
}

/** By strong ETag only: a date may stand for two versions of one second (section 13.1.5). */
function isRangeValid(ifRange: string | null, etag: string): boolean {
  return ifRange === null || isSameStrongly(ifRange.trim(), etag)
}

function isListed(list: string, etag: string, isSame: (one: string, other: string) => boolean): boolean {
  if (list.trim() === '*') return true
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((entry) => isSame(entry, etag))
}

function isSameStrongly(one: string, etag: string): boolean {
  return one === etag && !etag.startsWith('W/')
}

function isSameWeakly(one: string, etag: string): boolean {
  return one.replace(/^W\//, '') === etag.replace(/^W\//, '')
}

/** Undefined where there is nothing to compare: no header, no date, no time of change. */
function isModifiedAfter(header: string | null, { modifiedMs }: Validators): boolean | undefined {
  const since = header === null ? Number.NaN : parseHttpDate(header)
  if (modifiedMs === undefined || Number.isNaN(since)) return undefined
  return Math.floor(modifiedMs / 1000) > Math.floor(since / 1000)
}

const day = '(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)'
const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const time = '\\d{2}:\\d{2}:\\d{2}'
/** Of today, of RFC 850 and of asctime(): a recipient takes all three (RFC 9110 section 5.6.7). */
const httpDate = new RegExp(
  `^(?:${day}, \\d{2} ${month} \\d{4} ${time} GMT|[A-Z][a-z]+day, \\d{2}-${month}-\\d{2} ${time} GMT|${day} ${month} [ \\d]\\d ${time} \\d{4})$`,
)

/** Milliseconds since 1970, or NaN. `Date.parse` alone takes `2099`, which is no date here and must be ignored. */
function parseHttpDate(text: string): number {
  if (!httpDate.test(text)) return Number.NaN
  return Date.parse(text.endsWith('GMT') ? text : `${text} GMT`)
}
