import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { openBrowser } from './harness/chromium.ts'
import { storageOf } from './harness/held-assets.ts'
import { openOtherHost } from './harness/other-host.ts'
import type { Scene } from './harness/scene.ts'
import { useScene } from './harness/scene.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import { untilTrue } from './harness/until.ts'
import { openSeeder, openVisitor, Visitor } from './harness/visitor.ts'

const scene = useScene()

const large = '/images/large.png'
const middle = '/images/middle.png'
const film = '/files/spans.bin'
const ignoredQuery = [{ names: ['token'] }]

/** Remembers with which queries the origin was asked for a path. */
function watchQueries(site: Site, path: string): readonly string[] {
  const seen: string[] = []
  site.answer(path, (request) => {
    seen.push(new URL(request.url).search)
    return undefined
  })
  return seen
}

test('visitors with different tokens give each other their files, and the origin sees the token of each whom it is asked for', async () => {
  const site = await openSite(scene, { ignoredQuery })
  const queries = watchQueries(site, middle)
  const first = await openVisitor(scene, site)
  await first.untilAnswering()
  await first.load(`${large}?token=first`)
  await first.untilStored([large])
  const second = await openVisitor(scene, site)
  await second.connected()
  site.count.reset()
  site.hold([large])

  expect((await second.load(`${large}?token=second`)).sha256).toBe(sha256Of(site.asset(large)))
  expect(site.count.bytes(large)).toBe(0)
  expect(new Set((await second.chunks(large)).map(({ source }) => source))).toEqual(new Set(['peer']))

  expect((await second.load(`${middle}?token=second`)).sha256).toBe(sha256Of(site.asset(middle)))
  expect(queries).toEqual(['?token=second'])
  for (const query of ['?v=2', '?token=1&v=2', '?%74oken=1', '?token=1&token=2', '?']) {
    expect(await second.isAnsweredByWorker(`/images/small.png${query}`), query).toBe(false)
  }
})

/** A visitor whom the site knows, or not, from the first page on. */
async function openGuest(site: Site, cookie: string | undefined): Promise<Visitor> {
  const browser = await openBrowser(scene)
  if (cookie !== undefined) await browser.context.addCookies([{ name: 'member', value: cookie, url: site.url }])
  const visitor = new Visitor(browser, site)
  await visitor.goto('/')
  await visitor.untilControlled()
  await visitor.untilAnswering()
  return visitor
}

const isMember = (request: Request): boolean => /\bmember=yes/.test(request.headers.get('cookie') ?? '')

async function openGuardedSite(scene: Scene): Promise<Site> {
  const site = await openSite(scene, {
    ignoredQuery,
    guarded: ['/files/'],
    admit: (request, guarded) => (isMember(request) ? guarded : []),
  })
  site.answer(film, (request) => (isMember(request) ? undefined : new Response('members only', { status: 403 })))
  return site
}

test('a guarded file passes between visitors whom the site admitted, and nobody else has it but from the site', async () => {
  const site = await openGuardedSite(scene)
  const seeder = await openGuest(site, 'yes')
  // Until its pass has come: before that the site alone gives it, and nothing is kept.
  await untilTrue(
    seeder.page,
    async ({ path, id }: { path: string; id: string }) => {
      await globalThis.site.load(path)
      return (await globalThis.site.storedSpans(id)) > 0
    },
    { path: `${film}?token=first`, id: storageOf(site.asset(film)).id },
  )
  await seeder.untilStored([film])
  const member = await openGuest(site, 'yes')
  const stranger = await openGuest(site, 'no')
  await member.untilNeighbours(2)
  await stranger.untilNeighbours(2)
  site.count.reset()

  const path = `${film}?token=another`
  const refused = await stranger.load(path)
  expect([refused.status, refused.size]).toEqual([403, 'members only'.length])
  expect(await stranger.chunks(film)).toEqual([])

  site.count.reset()
  site.hold([film])
  expect((await member.load(path)).sha256).toBe(sha256Of(site.asset(film)))
  expect(site.count.bytes(film)).toBe(0)
  // Nobody gets past the site's check by the name of the content.
  const { id } = storageOf(site.asset(film))
  expect((await site.ask(`/.well-known/nearhand/content/${id}`)).status).toBe(404)
})

/** Until the worker answers for a URL of another host. */
async function untilAnswered(visitor: Visitor, url: string): Promise<void> {
  for (;;) {
    const arrived = visitor.page.waitForResponse((response) => response.url() === url)
    await visitor.load(url)
    if ((await arrived).fromServiceWorker()) return
  }
}

test('what another host of the owner has is one asset with the site’s own copy, for all visitors', async () => {
  const files = new Map<string, Uint8Array>()
  const host = await openOtherHost(scene, files, true)
  const site = await openSite(scene, { ignoredQuery, hosts: [{ host: host.url, from: '/there/', to: '/images/' }] })
  for (const path of [large, middle]) files.set(path.replace('/images/', '/there/'), site.asset(path))
  const [there, small] = [`${host.url}/there/large.png`, `${host.url}/there/middle.png`]
  const first = await openVisitor(scene, site)
  await first.untilAnswering()
  await untilAnswered(first, small)
  expect((await first.load(`${there}?token=first`)).sha256).toBe(sha256Of(site.asset(large)))
  expect(host.asked.at(-1)).toBe('/there/large.png?token=first')
  await first.untilStored([large])

  const second = await openVisitor(scene, site)
  await second.connected()
  await untilAnswered(second, small)
  host.hold()
  site.hold([large])
  site.count.reset()
  expect((await second.load(`${there}?token=second`)).sha256).toBe(sha256Of(site.asset(large)))
  await second.untilStored([large])
  expect((await second.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect([site.count.bytes(large), host.hadCookie]).toEqual([0, false])
  const { bytes } = await second.stats()
  expect([bytes.peers, bytes.store].every((count) => count >= site.asset(large).length)).toBe(true)
})

test('another host that pages may not read is left alone, and its files load as ever', async () => {
  const files = new Map<string, Uint8Array>()
  const host = await openOtherHost(scene, files, false)
  const site = await openSite(scene, { hosts: [{ host: host.url, from: '/', to: '/images/' }] })
  files.set('/large.png', site.asset(large))
  const visitor = await openSeeder(scene, site, [large])
  const url = `${host.url}/large.png`
  const answers: boolean[] = []
  visitor.page.on('response', (response) => {
    if (response.url() === url) answers.push(response.fromServiceWorker())
  })
  for (let turn = 0; turn < 3; turn += 1) {
    const type = await visitor.page.evaluate(
      async (asked) => (await fetch(asked, { mode: 'no-cors', credentials: 'omit' })).type,
      url,
    )
    expect(type).toBe('opaque')
  }
  await visitor.page.evaluate((asked) => globalThis.site.insert('img', asked), url)
  expect(answers).toEqual(answers.map(() => false))
  expect(answers.length).toBeGreaterThanOrEqual(4)
})

/** Plays a film of another host from a position, in one element for each page. */
async function playThere(visitor: Visitor, url: string, seconds: number): Promise<void> {
  await visitor.page.evaluate(
    async ([src, from]) => {
      const made = document.createElement('video')
      const video =
        document.querySelector('video') ?? Object.assign(made, { crossOrigin: 'anonymous', muted: true, src })
      document.body.append(video)
      const played = new Promise<void>((resolve, reject) => {
        video.onerror = () => reject(new Error(`Cannot play ${src}: ${video.error?.message}`))
        video.ontimeupdate = () => {
          if (!video.seeking && video.currentTime > from + 0.2) resolve()
        }
      })
      if (from > 0) video.currentTime = from
      await video.play()
      await played
    },
    [url, seconds] as const,
  )
}

test('a film of another host plays on with whom it began: the network before the worker knew the host, then the worker', async () => {
  const files = new Map<string, Uint8Array>()
  const host = await openOtherHost(scene, files, true)
  const site = await openSite(scene, { hosts: [{ host: host.url, from: '/', to: '/media/' }] })
  files.set('/clip.mp4', site.asset('/media/clip.mp4'))
  const url = `${host.url}/clip.mp4`
  const visitor = await openVisitor(scene, site)
  await visitor.untilAnswering()
  const before = await visitor.stats()
  for (const seconds of [0, 18, 6]) await playThere(visitor, url, seconds)
  expect((await visitor.stats()).requests).toBe(before.requests)

  await visitor.goto('/')
  await visitor.untilAnswering()
  for (const seconds of [0, 18, 6]) await playThere(visitor, url, seconds)
  expect((await visitor.stats()).requests).toBeGreaterThan(before.requests + 1)
  expect((await visitor.chunks('/media/clip.mp4')).length).toBeGreaterThan(0)
})
