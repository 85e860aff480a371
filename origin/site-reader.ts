import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bytes } from '../protocol/bytes.ts'
import { concatBytes } from '../protocol/bytes.ts'

/** A published site as it is seen from outside. Paths are canonical and begin below the site's base. */
export interface SiteReader {
  /** A file of bounded length; undefined where there is none. Throws where it is longer or cannot be read. */
  read(path: string, limitBytes: number): Promise<SiteFile | undefined>
  /** The body of an asset, or undefined. Throws where it cannot be read. */
  open(path: string): Promise<SiteBody | undefined>
  /** The site's folder on its host, where there is a host. */
  readonly base: string | undefined
  /** The body at another host of the owner, as a page of the site may read it; undefined where it is not there. */
  openUrl?(url: string): Promise<SiteBody | undefined>
}

/** The host answers, and says no. */
export class HostRefusal extends Error {
  override readonly name: string = 'HostRefusal'
}

export interface SiteFile {
  readonly bytes: Bytes
  /** Where there is a host that says it. */
  readonly contentType?: string | undefined
}

export interface SiteBody {
  readonly body: AsyncIterable<Uint8Array>
  /** Reads it no further. */
  cancel(): Promise<void>
  readonly contentType?: string | undefined
}

const readBytes = 256 * 1024

/** A folder as `nearhand publish` leaves it. */
export function createFolderReader(folder: string): SiteReader {
  const fileOf = (path: string) => join(folder, ...path.split('/').map(decodeURIComponent))
  return {
    base: undefined,
    async read(path, limitBytes) {
      const handle = await open(fileOf(path)).catch(absent)
      if (handle === undefined) return undefined
      try {
        const { size } = await handle.stat()
        if (size > limitBytes) throw new Error(`${size} bytes, ${limitBytes} at most`)
        return { bytes: new Uint8Array(await handle.readFile()) }
      } finally {
        await handle.close()
      }
    },
    async open(path) {
      const stats = await stat(fileOf(path)).catch(absent)
      if (!stats?.isFile()) return undefined
      const body = createReadStream(fileOf(path), { highWaterMark: readBytes })
      return { body, cancel: async () => void body.destroy() }
    },
  }
}

/**
 * A site on its host.
 *
 * @param base its address, ending in `/`
 * @param timeoutMs how long the host may be silent
 */
export function createUrlReader(base: URL, timeoutMs: number, signal: AbortSignal): SiteReader {
  async function get(url: URL): Promise<SiteBody | undefined> {
    const isOwn = url.origin === base.origin
    const silence = new AbortController()
    const timer = setTimeout(() => silence.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    const response = await fetch(url, {
      // Compressed bodies would be the host's choice of bytes; a redirect would be another path's.
      headers: { 'accept-encoding': 'identity', 'cache-control': 'no-cache', ...(!isOwn && { origin: base.origin }) },
      redirect: 'manual',
      signal: AbortSignal.any([signal, silence.signal]),
    }).catch((error: unknown) => {
      clearTimeout(timer) // else it would keep the process from ending
      throw reasonOf(error)
    })
    timer.refresh()
    const { body } = response
    const allowed = response.headers.get('access-control-allow-origin')
    const isReadable = isOwn || allowed === '*' || allowed === base.origin
    const cancel = async (): Promise<void> => {
      clearTimeout(timer)
      await body?.cancel()
    }
    if (response.status === 200 && body && isReadable) {
      return { body: watched(body, timer), cancel, contentType: response.headers.get('content-type') ?? undefined }
    }
    await cancel()
    if (!isReadable) throw new Error(`pages of ${base.origin} may not read it: no access-control-allow-origin`)
    if (response.status === 404 || response.status === 410) return undefined
    const target = response.headers.get('location')
    const answer = `the host answers ${response.status}${target === null ? '' : ` to ${target}`}`
    throw response.status < 500 ? new HostRefusal(answer) : new Error(answer)
  }
  const own = (path: string): URL => new URL(`.${path}`, base)
  return {
    base: base.pathname,
    open: (path) => get(own(path)),
    openUrl: (url) => get(new URL(url)),
    async read(path, limitBytes) {
      const file = await get(own(path))
      return file && { bytes: await collect(file.body, limitBytes), contentType: file.contentType }
    },
  }
}

async function* watched(body: AsyncIterable<Uint8Array>, timer: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) {
      timer.refresh()
      yield piece
    }
  } catch (error) {
    throw reasonOf(error)
  } finally {
    clearTimeout(timer)
  }
}

async function collect(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Bytes> {
  const pieces: Uint8Array[] = []
  let length = 0
  for await (const piece of body) {
    length += piece.length
    if (length > limitBytes) throw new Error(`over ${limitBytes} bytes`)
    pieces.push(piece)
  }
  return concatBytes(pieces)
}

/** `fetch` says "fetch failed" and hides why. */
function reasonOf(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause : error
}

function absent(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR'].includes(String(error.code))) return undefined
  throw error
}
