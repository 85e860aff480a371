/** Bytes `start` to `end`, both within. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * What a Range header asks of a body of `size` bytes (RFC 9110 section 14.1.2).
 *
 * - a range: answer 206 with just these bytes; an end beyond the body is the last byte
 * - `whole`: no header, another unit, not of the form, or several ranges: a server may ignore those (section 14.2)
 * - `unsatisfiable`: answer 416, for no byte of the body was asked for
 */
export function parseRange(header: string | null | undefined, size: number): ByteRange | 'whole' | 'unsatisfiable' {
  const form = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(header ?? '')
  const [first, last] = [form?.[1] ?? '', form?.[2] ?? '']
  if (first === '') {
    if (last === '') return 'whole'
    const suffix = Number(last)
    return suffix === 0 || size === 0 ? 'unsatisfiable' : { start: Math.max(0, size - suffix), end: size - 1 }
  }
  const start = Number(first)
  if (last !== '' && isSmaller(last, first)) return 'whole'
  if (start >= size) return 'unsatisfiable'
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) }
}

// Digits, because numbers past 2^53 are equal to their neighbours.
function isSmaller(one: string, other: string): boolean {
  const [a, b] = [one.replace(/^0+/, ''), other.replace(/^0+/, '')]
  return a.length === b.length ? a < b : a.length < b.length
}
