import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import type { DistantSite } from '../bench/bench-site.ts'
import { openDistantSite } from '../bench/bench-site.ts'
import { seed, statsOf, untilControlled, untilNeighbours } from '../bench/seed.ts'
import { application } from '../lab/sites/application.ts'
import { documentation } from '../lab/sites/documentation.ts'
import { editor } from '../lab/sites/editor.ts'
import type { RealSite } from '../lab/sites/real-site.ts'
import { openBrowser } from './harness/chromium.ts'
import type { VisitRecord } from './harness/record-visit.ts'
import { recordVisit } from './harness/record-visit.ts'
import { useScene } from './harness/scene.ts'

const scene = useScene()
const root = fileURLToPath(new URL('../..', import.meta.url))
const startPage = '/nearhand-start.html'
const near = { bitsPerSecond: 1_000_000_000, roundTripMs: 0 }
/** So far away that neighbours are nearer, also for text, which the origin sends compressed. */
const far = { bitsPerSecond: 4_000_000, roundTripMs: 500 }
const connectLimitMs = 20_000
/** Of what the machine has no name for, nothing is asked. */
const args = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost']

/** Each is visited three times, and every byte of it is compared. */
const longMs = 120_000

for (const real of [documentation, editor, application]) {
  test(
    `${real.name}: a visit is as without us, from the origin and from neighbours`,
    async () => {
      const plain = await visitWithoutUs(real)
      const site = await openSite(real, true)
      const first = await openControlled(site)
      const alone = await visitAs(real, site, first)
      expect(alone.experience).toEqual(plain.experience)
      expect(alone.answeredPaths.size).toBe(real.answered)

      await first.goto(site.url + startPage)
      await seed(first, [...alone.answeredPaths])
      site.link.shape = far
      const second = await openControlled(site)
      expect(await untilNeighbours(second, 1, connectLimitMs)).toBe(1)
      // A navigation would end the connections; those of another tab go on.
      const shared = await visitAs(real, site, await second.context().newPage())
      expect(shared.experience).toEqual(plain.experience)
      expect(shared.answeredPaths.size).toBe(real.answered)
      const { bytes, requests } = await statsOf(second)
      expect(requests).toBeGreaterThanOrEqual(real.answered)
      expect(bytes.peers).toBeGreaterThanOrEqual(shared.bytes / 2)
    },
    longMs,
  )
}

async function openSite(real: RealSite, withUs: boolean): Promise<DistantSite> {
  const write = async (folder: string): Promise<void> => {
    await real.write(folder)
    await writeFile(join(folder, startPage), '<!doctype html><title>Start</title><link rel="icon" href="data:,">')
  }
  const site = await openDistantSite({ root, withUs, write }, near)
  scene.onEnd(() => site.close())
  return site
}

async function visitWithoutUs(real: RealSite): Promise<VisitRecord> {
  const site = await openSite(real, false)
  const { page } = await openBrowser(scene, { args })
  await page.goto(site.url + startPage)
  return visitAs(real, site, page)
}

async function openControlled(site: DistantSite): Promise<Page> {
  const { page } = await openBrowser(scene, { args })
  await page.goto(site.url + startPage)
  await untilControlled(page)
  return page
}

function visitAs(real: RealSite, site: DistantSite, page: Page): Promise<VisitRecord> {
  return recordVisit(page, site.url, (settled) => real.visit(page, site.url, settled))
}
