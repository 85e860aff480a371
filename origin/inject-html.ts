import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContentId } from '../protocol/ids.ts'
import { parseContentId } from '../protocol/ids.ts'
import { injectLimitBytes } from '../protocol/limits.ts'

export function isInjectable(file: { path: string; size: number }): boolean {
  return /\.html?$/i.test(file.path) && file.size <= injectLimitBytes
}

/** What `inject` makes of a page, byte for byte the same around it whatever its charset. */
export function injectHtml(bytes: Uint8Array, inject: (html: string) => string): Uint8Array {
  if (isUtf16(bytes)) return bytes
  try {
    return Buffer.from(inject(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)), 'utf8')
  } catch {
    // A page in an older charset. Read as Latin-1 every byte is a character and comes back as it was.
    return Buffer.from(inject(Buffer.from(bytes).toString('latin1')), 'latin1')
  }
}

function isUtf16(bytes: Uint8Array): boolean {
  return (bytes[0] === 0xfe && bytes[1] === 0xff) || (bytes[0] === 0xff && bytes[1] === 0xfe)
}

/** Removes the injected pages that are not named. */
export async function pruneInjected(folder: string, keep: () => ReadonlySet<ContentId>): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  const kept = names.length > 0 ? keep() : new Set()
  for (const name of names) {
    const id = parseContentId(name)
    if (id === undefined || !kept.has(id)) await rm(join(folder, name), { force: true })
  }
}
