/** Only headers that name what one visitor's request was must not decide an answer that others get. */
const harmlessVary = new Set(['accept-encoding', 'origin'])

/**
 * Whether an answer with these headers may be given to anybody else: no cookie is set with it, no cache is forbidden
 * to share or to store it (RFC 9111 section 5.2.2), and it does not vary by who asks (RFC 9110 section 12.5.5).
 */
export function isShareable(headers: { get(name: string): string | null | undefined }): boolean {
  if (headers.get('set-cookie') !== null && headers.get('set-cookie') !== undefined) return false
  if (/(?:^|[\s,])(?:private|no-store)(?:$|[\s,;=])/i.test(headers.get('cache-control') ?? '')) return false
  return (headers.get('vary') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .every((name) => name === '' || harmlessVary.has(name))
}
