import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { SiteKeys } from '../../origin/keys.ts'
import { makeKeys } from '../../origin/keys.ts'
import type { Publication, PublishOptions } from '../../origin/publish.ts'
import { publishFolder } from '../../origin/publish.ts'
import type { Bytes } from '../../protocol/bytes.ts'

/** Some seconds since 1970, so that signatures and files do not depend on the day. */
export const someTime = 1_800_000_000

/** The same bytes for the same seed. */
export function seededRandom(seed: number): (length: number) => Bytes {
  let state = seed
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state >>> 24
    })
}

/** A site in a folder of its own that goes with the test. */
export class TemporarySite {
  readonly root: string
  readonly keys: SiteKeys

  private constructor(root: string, keys: SiteKeys) {
    this.root = root
    this.keys = keys
  }

  static async create(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<TemporarySite> {
    const root = await mkdtemp(join(tmpdir(), 'nearhand-'))
    const keys = await makeKeys(join(root, 'keys'), { now: someTime, random: seededRandom(1), freshSeconds: 86_400 })
    const site = new TemporarySite(root, keys)
    await mkdir(site.folder)
    for (const [name, content] of Object.entries(files)) await site.write(name, content)
    return site
  }

  get folder(): string {
    return join(this.root, 'site')
  }

  get out(): string {
    return join(this.folder, '.well-known/nearhand')
  }

  async write(name: string, content: string | Uint8Array): Promise<void> {
    const file = join(this.folder, name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }

  publish(options: Partial<PublishOptions> = {}): Promise<Publication> {
    const { folder, out, keys } = this
    return publishFolder({ folder, out, keys, state: join(this.root, 'state'), now: someTime, ...options })
  }
}

/** Runs with a site of its own and takes it away again. */
export async function withSite(
  files: Readonly<Record<string, string | Uint8Array>>,
  run: (site: TemporarySite) => Promise<void>,
): Promise<void> {
  const site = await TemporarySite.create(files)
  try {
    await run(site)
  } finally {
    await rm(site.root, { recursive: true, force: true })
  }
}
