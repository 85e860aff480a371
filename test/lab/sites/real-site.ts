import { access, cp, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Page } from 'playwright-core'

/** A site that somebody else made, and what a visitor does there. */
export interface RealSite {
  readonly name: string
  /** Writes its files into this folder. */
  readonly write: (folder: string) => Promise<void>
  /**
   * Resolves when everything that the visitor asked for is there.
   * @param settled to be awaited before a page is left
   */
  readonly visit: (page: Page, url: string, settled: () => Promise<void>) => Promise<void>
  /** Assets of one visit that the worker answers. */
  readonly answered: number
}

/** Copies these files and folders of an installed package, each under its own name, and writes pages beside them. */
export async function writePackage(
  name: string,
  parts: Readonly<Record<string, string>>,
  folder: string,
  pages: Readonly<Record<string, string>>,
): Promise<void> {
  const from = await packageFolder(name)
  for (const [part, to] of Object.entries(parts)) await cp(join(from, part), join(folder, to), { recursive: true })
  for (const [path, html] of Object.entries(pages)) await writeFile(join(folder, path), html)
}

/** Not every package lets a file of its folder be resolved. */
async function packageFolder(name: string): Promise<string> {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    const isThere = await access(join(folder, name)).then(
      () => true,
      () => false,
    )
    if (isThere) return join(folder, name)
  }
  throw new Error(`Cannot find package ${name}: it is not installed`)
}
