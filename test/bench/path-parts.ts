import type { Page } from 'playwright-core'
import { openDistantSite, openNearSite } from './bench-site.ts'
import type { BenchSite, BenchSiteOptions } from './bench-site.ts'
import type { Device } from './device.ts'
import { openDevice } from './device.ts'
import type { PathFile } from './path-site.ts'
import { foreignPath, plainPage, tagPage, writePathSite } from './path-site.ts'
import { seed, untilControlled, untilNeighbours } from './seed.ts'
import type { LinkShape } from './shaped-link.ts'

/** What was opened for a part, closed when it ends, whatever happened. */
export class Closers {
  readonly #closers: (() => Promise<void>)[] = []

  add<T extends { readonly close: () => Promise<void> }>(opened: T): T {
    this.#closers.push(() => opened.close())
    return opened
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close()
  }
}

/** An origin that nobody would wait for. */
export const farLink: LinkShape = { bitsPerSecond: 20_000_000, roundTripMs: 60 }
const fastLink: LinkShape = { bitsPerSecond: 2_000_000_000, roundTripMs: 0 }
const connectLimitMs = 15_000
const storeLimitBytes = 4 * 1024 ** 3

export function siteOptions(root: string, files: readonly PathFile[]): Omit<BenchSiteOptions, 'withUs'> {
  return {
    root,
    write: (folder) => writePathSite(folder, files),
    origin: { patterns: ['/**', `!${foreignPath}/**`, '!/*.html'], storeLimitBytes, inject: false },
  }
}

export interface Neighbours {
  readonly site: BenchSite
  readonly visitor: Device
  readonly seeders: readonly Device[]
  /** Another one that holds everything. */
  readonly addSeeder: () => Promise<Device>
}

/** A visitor that is connected to seeders who hold these files, at a site far away. */
export async function openNeighbours(
  root: string,
  files: readonly PathFile[],
  seederCount: number,
  closers: Closers,
  shape: LinkShape = farLink,
): Promise<Neighbours> {
  const site = closers.add(await openDistantSite({ ...siteOptions(root, files), withUs: true }, fastLink))
  const addSeeder = async (): Promise<Device> => {
    const before = site.link.shape
    site.link.shape = fastLink
    const seeder = closers.add(await openDevice())
    await seeder.page.goto(site.url + tagPage)
    await seed(
      seeder.page,
      files.map(({ path }) => path),
    )
    site.link.shape = before
    return seeder
  }
  const seeders: Device[] = []
  for (let left = seederCount; left > 0; left -= 1) seeders.push(await addSeeder())
  site.link.shape = shape
  const visitor = closers.add(await openDevice())
  await visitor.page.goto(site.url + tagPage)
  await untilControlled(visitor.page)
  await untilConnected(visitor.page, seederCount)
  return { site, visitor, seeders, addSeeder }
}

export async function untilConnected(page: Page, count: number): Promise<void> {
  const connected = await untilNeighbours(page, count, connectLimitMs)
  if (connected < count) throw new Error(`Cannot measure: connected to ${connected} of ${count} peers`)
}

/** A visitor of a site with us, controlled but alone, and one of the same site without us. */
export async function openAlone(
  root: string,
  files: readonly PathFile[],
  closers: Closers,
  shape: LinkShape | undefined,
): Promise<{ readonly withUs: Page; readonly withoutUs: Page }> {
  const open = async (withUs: boolean): Promise<Page> => {
    const options = { ...siteOptions(root, files), withUs }
    const site = closers.add(shape ? await openDistantSite(options, shape) : await openNearSite(options))
    const { page } = closers.add(await openDevice())
    await page.goto(site.url + (withUs ? tagPage : plainPage))
    if (withUs) await untilControlled(page)
    return page
  }
  return { withUs: await open(true), withoutUs: await open(false) }
}
