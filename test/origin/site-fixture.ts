import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Origin } from '../../origin/origin.ts'
import { createOrigin } from '../../origin/origin.ts'
import type { OriginOptions } from '../../origin/config.ts'

/** Small stand-ins for the built scripts, which unit tests do not need. */
export const testScripts = {
  tag: '/* tag */',
  worker: '/* worker */',
  prompt: '/* prompt */',
  serviceWorker: '/* service worker */',
}

export interface SiteFixture {
  /** The site's folder. */
  readonly folder: string
  readonly state: string
  /** What the origins said. */
  readonly log: string[]
  write(name: string, content: string | Uint8Array): Promise<void>
  open(options?: Partial<OriginOptions>): Promise<Origin>
  /** Closes every origin that was opened, and removes the folders. */
  close(): Promise<void>
}

/** A site in a temporary folder. */
export async function makeSite(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<SiteFixture> {
  const root = await mkdtemp(join(tmpdir(), 'nearhand-origin-'))
  const folder = join(root, 'site')
  const state = join(root, 'state')
  const origins: Origin[] = []
  const log: string[] = []
  const write = async (name: string, content: string | Uint8Array): Promise<void> => {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), content)
  }
  await mkdir(folder)
  for (const [name, content] of Object.entries(files)) await write(name, content)
  return {
    folder,
    state,
    log,
    write,
    async open(options = {}) {
      const origin = await createOrigin({
        folder,
        state,
        stun: false,
        scripts: testScripts,
        log: (line) => log.push(line),
        ...options,
      })
      origins.push(origin)
      return origin
    },
    async close() {
      for (const origin of origins) await origin.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}
