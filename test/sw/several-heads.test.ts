import { describe, expect, test, vi } from 'vitest'
import { contentIdOf } from '../../protocol/hash.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { headHeader, manifestFiles } from '../../protocol/manifest.ts'
import type { Rule } from '../../sw/rule.ts'
import { Manifests } from '../../sw/manifests.ts'
import { Origin } from '../../sw/origin-fetch.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { contentOf } from '../fakes/stored-disk.ts'
import { makeAsset } from './made-asset.ts'
import type { MadeSite } from './made-site.ts'
import { delegatePrefix, makeSite, sitePlace } from './made-site.ts'
import type { MadeWorker } from './made-worker.ts'
import { makeWorker } from './made-worker.ts'
import { expectBody } from './route-scene.ts'

const app = await makeAsset('/app.js', contentOf(10, 1))
const appLater = await makeAsset('/app.js', contentOf(10, 2))
const upload = await makeAsset('/uploads/a.jpg', contentOf(10, 3))
const uploadLater = await makeAsset('/uploads/a.jpg', contentOf(10, 4))

async function twoHeads(): Promise<{ readonly site: MadeSite; readonly delegated: ContentId }> {
  const site = await makeSite()
  await site.deploy([app])
  return { site, delegated: await site.delegate([upload], 7) }
}

function open(site: MadeSite, disk = new MemoryDisk()) {
  const rules: Rule[] = []
  const origin = new Origin(site.fetch, sitePlace, () => site.now)
  const manifests = new Manifests({
    root: site.root,
    origin,
    readPart: (id) => origin.readPart(id),
    cache: disk.partCache,
    state: disk.state,
    now: () => site.now,
    random: () => 0.5,
    onRule: (rule) => void rules.push(rule),
    onUnregister: () => {},
    onRevoked: () => {},
    report: () => {},
  })
  const ids = async () => [(await manifests.find('/app.js'))?.id, (await manifests.find('/uploads/a.jpg'))?.id]
  return { manifests, disk, rules, ids }
}

describe('Manifests of several heads', () => {
  test('finds each path in the head that speaks for it, also in the next life without the origin', async () => {
    const { site } = await twoHeads()
    const { manifests, ids, disk } = open(site)
    await manifests.onNavigation()
    expect(await ids()).toEqual([app.asset.id, upload.asset.id])
    await vi.waitFor(() => expect(disk.parts.size).toBe(2))
    site.intercept = () => Promise.reject(new TypeError('Failed to fetch'))
    const later = open(site, disk)
    await later.manifests.onNavigation()
    expect(await later.ids()).toEqual([app.asset.id, upload.asset.id])
  })

  test('reads one head anew where one is new, and forgets in no life how new each was', async () => {
    const { site, delegated } = await twoHeads()
    const { manifests, ids, disk } = open(site)
    await manifests.onNavigation()
    const older = String(site.files.get(manifestFiles.fresh))
    const before = site.seen.length
    site.now += 1000
    await site.deploy([appLater])
    await manifests.onNavigation()
    expect(await ids()).toEqual([appLater.asset.id, upload.asset.id])
    expect(site.seen.slice(before).filter(({ path }) => path.includes(delegated))).toEqual([])
    const later = open(site, disk).manifests
    await expect(later.take(older)).rejects.toMatchObject({ code: 'rollback' })
  })

  test('answers plainly below the prefixes of a head that cannot be had, and nowhere else', async () => {
    const { site } = await twoHeads()
    const forged = await site.delegate([uploadLater], 8)
    site.files.set(manifestFiles.head(forged), 'nonsense')
    const { manifests, ids } = open(site)
    await manifests.onNavigation()
    expect([manifests.isValidAt('/app.js'), manifests.isValidAt('/uploads/a.jpg')]).toEqual([true, false])
    expect([manifests.mayUsePeers('/app.js'), manifests.mayUsePeers('/uploads/a.jpg')]).toEqual([true, false])
    expect(await ids()).toEqual([app.asset.id, undefined])
  })

  test('takes peers from the paths of a head in doubt alone (equivocation), until its next number', async () => {
    const { site } = await twoHeads()
    const { manifests, rules } = open(site)
    await manifests.onNavigation()
    const peers = () => [manifests.mayUsePeers('/app.js'), manifests.mayUsePeers('/uploads/a.jpg')]
    expect(peers()).toEqual([true, true])
    site.now += 1000
    await site.delegate([uploadLater], 7)
    await manifests.hear(String(site.files.get(manifestFiles.fresh)))
    expect(peers()).toEqual([true, false])
    expect(rules.at(-1)).toMatchObject({ peers: true, off: [delegatePrefix] })
    await site.delegate([uploadLater], 8)
    await manifests.onNavigation()
    expect(peers()).toEqual([true, true])
  })
})

describe('Route.answer() for a page that was made with several heads', () => {
  async function openPage(worker: MadeWorker, page: string, heads: string): Promise<void> {
    const load = (): Promise<Response> => Promise.resolve(new Response('', { headers: { [headHeader]: heads } }))
    await worker.route.answerPage(new Request('http://site.test/'), undefined, load, page, () => {})
  }
  const get = (worker: MadeWorker, path: string): Promise<Response> =>
    worker.route.answer(new Request(`http://site.test${path}`), path, 'page')

  test('gives the assets of each, and stays with the old one where one is new', async () => {
    const { site, delegated } = await twoHeads()
    const worker = makeWorker(site)
    await worker.manifests.onNavigation()
    const [release = ''] = [...site.files.keys()].filter((name) => name.startsWith('heads/'))
    await openPage(worker, 'page', `${release.slice('heads/'.length, -'.json'.length)}, ${delegated}`)
    site.now += 10_000
    await site.deploy([appLater])
    await site.delegate([uploadLater], 8)
    await worker.manifests.onNavigation()
    await expectBody(await get(worker, '/app.js'), app)
    await expectBody(await get(worker, '/uploads/a.jpg'), upload)
    expect((await worker.traffic.totals()).fallbacks).toBe(0)
  })

  test.each(['nonsense, more', ',', `${'a'.repeat(64)},`, Array(10).fill('a'.repeat(64)).join()])(
    'takes %j for nothing said',
    async (heads) => {
      const { site } = await twoHeads()
      const worker = makeWorker(site)
      await worker.manifests.onNavigation()
      await openPage(worker, 'page', heads)
      await expectBody(await get(worker, '/uploads/a.jpg'), upload)
      expect((await worker.traffic.totals()).fallbacks).toBe(0)
    },
  )

  test('answers plainly where one of them cannot be had', async () => {
    const { site, delegated } = await twoHeads()
    const worker = makeWorker(site)
    await worker.manifests.onNavigation()
    await openPage(worker, 'page', `${await contentIdOf(new Uint8Array(1))}, ${delegated}`)
    await expectBody(await get(worker, '/uploads/a.jpg'), upload)
    await expectBody(await get(worker, '/app.js'), app)
    expect((await worker.traffic.totals()).fallbacks).toBe(1)
  })
})
