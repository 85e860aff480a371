import { pathLimit } from './limits.ts'

/**
 * The one spelling of a path on a site, or undefined where it has none and the request is not ours.
 *
 * Every segment is decoded as UTF-8 and encoded again: letters, digits and `-_.!~*'()$&+,;=:@` stand for
 * themselves, all else is `%XX` in upper case. Case counts. Refused, because servers disagree about them:
 * empty segments (`//`), dot segments in any spelling (`%2e`), encoded slashes, backslashes and NUL, broken
 * or non-UTF-8 escapes, a query or fragment, more than 1,024 characters.
 *
 * @param pathname as `new URL(...).pathname` gives it, beginning with `/`
 */
export function canonicalPath(pathname: string): string | undefined {
  if (pathname.length > pathLimit) return undefined
  const path = spellPath(pathname)
  return path === undefined || path.length > pathLimit ? undefined : path
}

/** The same without the limit, which is that of the manifest: an origin serves also what it cannot list. */
export function spellPath(pathname: string): string | undefined {
  if (!pathname.startsWith('/') || /[?#]/.test(pathname)) return undefined
  const segments = pathname.slice(1).split('/')
  const spelled: string[] = []
  for (const [at, segment] of segments.entries()) {
    if (segment === '' && at < segments.length - 1) return undefined
    const encoded = respell(segment)
    if (encoded === undefined) return undefined
    spelled.push(encoded)
  }
  return `/${spelled.join('/')}`
}

/** A file below the published folder, `/`-separated and not encoded, as a canonical path. */
export function pathOfFile(relative: string): string | undefined {
  try {
    return canonicalPath(`/${relative.split('/').map(encodeURIComponent).join('/')}`)
  } catch {
    return undefined // a lone surrogate: a name that no URL can spell
  }
}

/** The row that answers a path: a folder is answered by its `index.html`. */
export function rowPath(path: string): string {
  return path.endsWith('/') ? `${path}index.html` : path
}

/** The section of a path: the longest listed prefix. `/` is always listed. */
export function sectionOf(path: string, sections: readonly string[]): string {
  let longest = '/'
  for (const section of sections) if (section.length > longest.length && path.startsWith(section)) longest = section
  return longest
}

function respell(segment: string): string | undefined {
  let decoded: string
  try {
    decoded = decodeURIComponent(segment)
  } catch {
    return undefined
  }
  // A lone surrogate has no UTF-8; it can come from a JSON escape, never from a URL.
  if (decoded === '.' || decoded === '..' || /[/\\\0]|\p{Surrogate}/u.test(decoded)) return undefined
  return encodeURIComponent(decoded).replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
}
