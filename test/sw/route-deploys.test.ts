import { describe, expect, test } from 'vitest'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { pagesKept } from '../../protocol/limits.ts'
import { headHeader, manifestFiles } from '../../protocol/manifest.ts'
import { PageHeads } from '../../sw/page-heads.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { makeSite } from './made-site.ts'
import type { MadeWorker } from './made-worker.ts'
import { makeWorker } from './made-worker.ts'
import { expectBody } from './route-scene.ts'

const before = await makeAsset('/app.js', contentOf(150_000, 1))
const after = await makeAsset('/app.js', contentOf(150_000, 2))

const headOf = (site: MadeSite): ContentId => {
  const [name = ''] = [...site.files.keys()].filter((file) => file.startsWith('heads/')).slice(-1)
  return name.slice('heads/'.length, -'.json'.length) as ContentId
}

/** The page opens, and the origin says with which head it was made. */
async function openPage(worker: MadeWorker, page: string, head: string): Promise<void> {
  const load = (): Promise<Response> => Promise.resolve(new Response('', { headers: { [headHeader]: head } }))
  await worker.route.answerPage(new Request('http://site.test/'), undefined, load, page, () => {})
}

const get = (worker: MadeWorker, page: string): Promise<Response> =>
  worker.route.answer(new Request('http://site.test/app.js'), '/app.js', page)

async function twoDeploys() {
  const site = await makeSite()
  await site.deploy([before])
  const worker = makeWorker(site)
  await worker.manifests.onNavigation()
  const old = headOf(site)
  await openPage(worker, 'old page', old)
  site.now += 10_000
  await site.deploy([after])
  return { site, worker, old, young: headOf(site) }
}

describe('Route.answer() across deploys', () => {
  test('gives each page the assets that it was made with, to its end', async () => {
    const { site, worker, young } = await twoDeploys()
    await worker.manifests.onNavigation()
    await openPage(worker, 'new page', young)
    for (let visit = 0; visit < 2; visit += 1) {
      await expectBody(await get(worker, 'old page'), before)
      await expectBody(await get(worker, 'new page'), after)
      await expectBody(await get(worker, 'page that says nothing'), after)
    }
    expect((await worker.traffic.totals()).fallbacks).toBe(0)
    expect(
      site.assetRequests.map(({ path }) => path),
      'the old one by its id',
    ).toEqual(['/app.js'])
  })

  test('gives a page that is newer than what is known its own assets', async () => {
    const { site, worker, young } = await twoDeploys()
    site.files.delete(manifestFiles.fresh)
    await openPage(worker, 'new page', young)
    await expectBody(await get(worker, 'new page'), after)
    await expectBody(await get(worker, 'old page'), before)
  })

  test('remembers it when the worker starts again', async () => {
    const { site, worker } = await twoDeploys()
    await worker.manifests.onNavigation()
    const later = makeWorker(site, worker.disk)
    await later.manifests.onNavigation()
    await expectBody(await get(later, 'old page'), before)
  })

  test.each<[string, (site: MadeSite, old: ContentId) => void]>([
    ['its head is gone', (site, old) => void site.files.delete(manifestFiles.head(old))],
    ['its head is forged', (site, old) => void site.files.set(manifestFiles.head(old), '{}')],
    ['its content is gone', (site) => void site.files.delete(manifestFiles.content(before.asset.id))],
  ])('gives it what the origin has where %s', async (_name, spoil) => {
    const { site, worker, old } = await twoDeploys()
    spoil(site, old)
    await worker.manifests.onNavigation()
    await expectBody(await get(worker, 'old page'), after)
  })

  test('believes no head because a page names it', async () => {
    const { worker } = await twoDeploys()
    await worker.manifests.onNavigation()
    await openPage(worker, 'page', await contentIdOf(new Uint8Array(1)))
    await expectBody(await get(worker, 'page'), after)
    await openPage(worker, 'another', 'nonsense')
    await expectBody(await get(worker, 'another'), after)
  })
})

describe('PageHeads', () => {
  test('remembers a bounded number of pages, and begins anew where a script wrote something else', async () => {
    const disk = new MemoryDisk()
    disk.values.set('pages', [['page', 'x']])
    const reports: unknown[] = []
    const pages = new PageHeads(disk.state, (error) => void reports.push(error))
    const head = await contentIdOf(new Uint8Array(1))
    expect(await pages.headsOf('page')).toBeUndefined()
    for (let at = 0; at <= pagesKept; at += 1) pages.note(`page ${at}`, [head])
    await expect.poll(() => disk.values.get('pages')).toHaveLength(pagesKept)
    expect([await pages.headsOf('page 0'), await pages.headsOf(`page ${pagesKept}`)]).toEqual([undefined, [head]])
    expect(reports).toHaveLength(1)
  })
})
