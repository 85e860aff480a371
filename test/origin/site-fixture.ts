import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Origin } from '../../origin/origin.ts'
import { createOrigin } from '../../origin/origin.ts'
import type { OriginOptions } from '../../origin/config.ts'
import type { JoinResponse } from '../../protocol/join.ts'
import { parseJoinResponse } from '../../protocol/join.ts'

/** Small stand-ins for the built scripts, which unit tests do not need. */
export const testScripts = {
  tag: '/* tag */',
  worker: '/* worker */',
  prompt: '/* prompt */',
  peers: '/* peers */',
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

/** What a page at this address is given to join, with the certificate of the fingerprint `0b0b...`. */
export async function joinOf(
  origin: Origin,
  url = 'http://x/.well-known/nearhand/join',
  headers: Record<string, string> = {},
): Promise<JoinResponse> {
  const body = JSON.stringify({ fingerprint: '0b'.repeat(32) })
  return parseJoinResponse(await (await origin.app.request(url, { method: 'POST', body, headers })).text())
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
