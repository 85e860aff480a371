import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openVisitor } from './harness/visitor.ts'

const scene = useScene()
const path = '/images/large.png'
const head = async (url: string): Promise<string | null> => (await fetch(url)).headers.get('nearhand-head')

test('a page that is open while the site is deployed anew gets to its end what it was made with', async () => {
  const site = await openSite(scene, { watch: true })
  const visitor = await openVisitor(scene, site)
  await visitor.untilAnswering()
  await visitor.goto('/') // the first view began before there was a worker
  const before = await head(site.url)
  const content = Buffer.from(site.asset(path)).fill(7, 1000, 100_000)
  await writeFile(join(site.folder, path), content)
  await expect.poll(() => head(site.url), { timeout: 10_000 }).not.toBe(before)

  expect((await visitor.load(path)).sha256).toBe(sha256Of(site.asset(path)))
  await visitor.goto('/')
  expect((await visitor.load(path)).sha256).toBe(sha256Of(content))
})
