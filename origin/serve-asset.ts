import type { Encoding } from './compress.ts'
import { chooseEncoding, compressed, isCompressible } from './compress.ts'
import type { Plan } from './conditions.ts'
import { planAnswer } from './conditions.ts'
import type { Representation } from './representation.ts'

/**
 * The response to GET or HEAD for a representation: conditional requests (RFC 9110 section 13), one range
 * (section 14), br or gzip for text that is asked for whole. Takes over the representation in every case.
 */
export async function serveAsset(request: Request, representation: Representation): Promise<Response> {
  const encoding = chooseEncoding(request.headers, representation)
  // Two codings are two representations, each with a strong ETag of its own (section 8.8.3.3).
  const etag = encoding ? representation.etag.replace(/"$/, `-${encoding}"`) : representation.etag
  const validators = { etag, modifiedMs: representation.modifiedMs }
  const plan = planAnswer(request.method, request.headers, validators, representation.size)
  const headers = headersOf(representation, plan, etag, encoding)
  const [start, length] = plan.status === 206 ? spanOf(plan.range) : [0, representation.size]
  const hasBody = request.method === 'GET' && (plan.status === 200 || plan.status === 206) && length > 0
  if (!hasBody) {
    await representation.close()
    return new Response(null, { status: plan.status, headers })
  }
  const body = representation.read(start, length)
  return new Response(encoding ? compressed(body, encoding, representation.size) : body, {
    status: plan.status,
    headers,
  })
}

function headersOf(
  { size, headers: own, modifiedMs }: Representation,
  plan: Plan,
  etag: string,
  encoding: Encoding | undefined,
): Headers {
  const headers = new Headers(own.map(([name, value]): [string, string] => [name, value]))
  headers.set('etag', etag)
  if (!headers.has('x-content-type-options')) headers.set('x-content-type-options', 'nosniff')
  headers.set('accept-ranges', 'bytes')
  if (isCompressible(headers.get('content-type'), size)) headers.append('vary', 'accept-encoding')
  if (modifiedMs !== undefined) headers.set('last-modified', new Date(modifiedMs).toUTCString())
  switch (plan.status) {
    case 200:
      if (encoding) headers.set('content-encoding', encoding)
      else headers.set('content-length', String(size))
      return headers
    case 206: {
      const { start, end } = plan.range
      headers.set('content-range', `bytes ${start}-${end}/${size}`)
      headers.set('content-length', String(end - start + 1))
      return headers
    }
    case 416:
      headers.set('content-range', `bytes */${size}`)
      headers.delete('content-type')
      headers.set('content-length', '0')
      return headers
    case 304:
    case 412:
      headers.delete('content-type')
      return headers
  }
}

function spanOf({ start, end }: { start: number; end: number }): [start: number, length: number] {
  return [start, end - start + 1]
}
