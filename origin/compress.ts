import { pipeline, Readable } from 'node:stream'
import { constants, createBrotliCompress, createGzip } from 'node:zlib'
import type { Bytes } from '../protocol/bytes.ts'

export type Encoding = 'br' | 'gzip'

const compressible =
  /^(?:text\/|image\/svg\+xml|application\/(?:[a-z0-9.-]+\+)?(?:json|xml|javascript|manifest|wasm)|font\/(?:ttf|otf))/
// Below, the coding's own bytes and the packet's end eat the gain.
const smallestBytes = 512

/** Whether what is served depends on Accept-Encoding. */
export function isCompressible(contentType: string | null | undefined, size: number): boolean {
  return size >= smallestBytes && contentType != null && compressible.test(contentType.toLowerCase())
}

/** The content coding of a whole body. Ranges are of the identity body, so a request for one gets none. */
export function chooseEncoding(
  request: Headers,
  target: { readonly size: number; readonly headers: readonly (readonly [name: string, value: string])[] },
): Encoding | undefined {
  const contentType = target.headers.find(([name]) => name === 'content-type')?.[1]
  if (request.has('range') || !isCompressible(contentType, target.size)) return undefined
  const accepted = acceptedEncodings(request.get('accept-encoding') ?? '')
  if (accepted.has('br')) return 'br'
  return accepted.has('gzip') ? 'gzip' : undefined
}

/** The codings named with a weight above zero (RFC 9110 section 12.5.3). */
function acceptedEncodings(header: string): Set<string> {
  const accepted = new Set<string>()
  for (const entry of header.toLowerCase().split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))
    if (weight === undefined || Number(weight.slice(2)) > 0) accepted.add(name)
  }
  return accepted
}

/** Speed over size: these bytes are made anew for each visitor. */
export function compressed(body: ReadableStream<Bytes>, encoding: Encoding, size: number): ReadableStream<Bytes> {
  const coder =
    encoding === 'gzip'
      ? createGzip({ level: 6 })
      : createBrotliCompress({
          params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: size },
        })
  // An error on either side, or a visitor who leaves, ends both.
  pipeline(Readable.fromWeb(body), coder, () => undefined)
  return Readable.toWeb(coder)
}
