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
}

export interface SiteFile {
  readonly bytes: Bytes
  /** Where there is a host that says it. */
  readonly contentType?: string | undefined
}

export interface SiteBody {
  readonly body: AsyncIterable<Uint8Array>
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
      return { body: createReadStream(fileOf(path), { highWaterMark: readBytes }) }
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
  async function get(path: string): Promise<SiteBody | undefined> {
    const silence = new AbortController()
    const timer = setTimeout(() => silence.abort(new Error(`no answer within ${timeoutMs / 1000} s`)), timeoutMs)
    const response = await fetch(new URL(`.${path}`, base), {
      // Compressed bodies would be the host's choice of bytes; a redirect would be another path's.
      headers: { 'accept-encoding': 'identity', 'cache-control': 'no-cache' },
      redirect: 'manual',
      signal: AbortSignal.any([signal, silence.signal]),
    }).catch((error: unknown) => {
      clearTimeout(timer) // else it would keep the process from ending
      throw reasonOf(error)
    })
    timer.refresh()
    if (response.status === 200 && response.body) {
      const contentType = response.headers.get('content-type') ?? undefined
      return { body: watched(response.body, timer), contentType }
    }
    clearTimeout(timer)
    await response.body?.cancel()
    if (response.status === 404 || response.status === 410) return undefined
    const target = response.headers.get('location')
    throw new Error(`the host answers ${response.status}${target === null ? '' : ` to ${target}`}`)
  }
  return {
    base: base.pathname,
    open: get,
    async read(path, limitBytes) {
      const file = await get(path)
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
