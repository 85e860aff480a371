import { createHash } from 'node:crypto'
import type { Asset } from '../protocol/chunks.ts'
import { chunkCount, chunkLength } from '../protocol/chunks.ts'
import { hexOf } from '../protocol/bytes.ts'

/**
 * Compares a body with what the manifest says, chunk by chunk, and reads no further than it must.
 * Undefined where all of it holds, else what is wrong.
 *
 * @param digests those of its chunks, where the asset is more than one
 */
export async function findContentProblem(
  asset: Pick<Asset, 'id' | 'size' | 'chunkSize'>,
  digests: readonly Uint8Array[] | undefined,
  body: AsyncIterable<Uint8Array>,
): Promise<string | undefined> {
  const { id, size, chunkSize } = asset
  const chunks = chunkCount(size, chunkSize)
  const expected = (index: number) => (digests ? hexOf(digests[index] ?? new Uint8Array()) : id)
  let index = 0
  let filled = 0
  let digest = createHash('sha256')
  for await (const piece of body) {
    for (let at = 0; at < piece.length;) {
      if (index === chunks) return `longer than the ${size} bytes of the manifest`
      const part = piece.subarray(at, at + chunkLength(size, chunkSize, index) - filled)
      digest.update(part)
      at += part.length
      filled += part.length
      if (filled < chunkLength(size, chunkSize, index)) break
      if (digest.digest('hex') !== expected(index))
        return digests ? `other bytes in chunk ${index + 1} of ${chunks}` : 'other bytes'
      digest = createHash('sha256')
      index += 1
      filled = 0
    }
  }
  if (index < chunks) return `${index * chunkSize + filled} bytes instead of ${size}`
  return size === 0 && digest.digest('hex') !== id ? 'not the id of nothing' : undefined
}

const scriptTypes = new Set(['text/javascript', 'application/javascript', 'application/x-javascript'])

/** Whether two content-types lead a browser to the same thing; a charset counts where both say one. */
export function isSameType(one: string, other: string): boolean {
  const [left, right] = [parseType(one), parseType(other)]
  const isSameCharset = left.charset === undefined || right.charset === undefined || left.charset === right.charset
  return left.essence === right.essence && isSameCharset
}

export function isScriptType(type: string): boolean {
  return parseType(type).essence === 'text/javascript'
}

function parseType(text: string): { essence: string; charset: string | undefined } {
  const [essence = '', ...parameters] = text.toLowerCase().split(';')
  const charset = parameters.map((parameter) => /^\s*charset="?([^"\s]*)"?\s*$/.exec(parameter)?.[1])
  const name = essence.trim()
  return { essence: scriptTypes.has(name) ? 'text/javascript' : name, charset: charset.find((found) => found) }
}
