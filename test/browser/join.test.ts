import { expect, test } from 'vitest'
import { mintJoin } from '../../origin/mint-join.ts'
import { sha256Of } from './harness/assets.ts'
import { openBrowser } from './harness/chromium.ts'
import { useScene } from './harness/scene.ts'
import { sitePage } from './harness/site-page.ts'
import type { Site } from './harness/site.ts'
import { openSite } from './harness/site.ts'
import { Visitor } from './harness/visitor.ts'

const scene = useScene()
const join = '/members/join'
const page = '/members.html'
const image = '/images/large.png'
const file = '/files/spans.bin'

/** A site whose own backend lets members join the section of the images, and nobody else. */
async function openMembersSite(): Promise<Site> {
  const site = await openSite(scene, { sections: ['/images/'] })
  const { token, swarmSecret, site: id } = await site.keys()
  if (token === undefined || swarmSecret === undefined) throw new Error('Cannot test: a key is missing')
  site.answer(join, async (request) => {
    if (!request.headers.get('cookie')?.includes('member=1')) return new Response('members only', { status: 403 })
    const { fingerprint } = JSON.parse(await request.text())
    const { key } = token
    const issuer = site.url
    return Response.json(
      await mintJoin({ key, site: id, swarmSecret, fingerprint, sections: ['/images/'], issuer, lan: true }),
    )
  })
  const tag = `<script src="/nearhand.js" data-consent="granted" data-join="${join}" async></script>`
  site.answer(page, () => new Response(sitePage(tag), { headers: { 'content-type': 'text/html' } }))
  return site
}

async function openMember(site: Site, isMember: boolean) {
  const browser = await openBrowser(scene, {})
  if (isMember) await browser.context.addCookies([{ name: 'member', value: '1', url: site.url }])
  const visitor = new Visitor(browser, site)
  const sockets: string[] = []
  visitor.page.on('websocket', (socket) => sockets.push(socket.url()))
  await visitor.goto(page)
  await visitor.untilControlled()
  await visitor.untilAnswering()
  return { visitor, sockets }
}

test('whom the site’s own backend refuses loads from the origin alone, and asks no second time', async () => {
  const site = await openMembersSite()
  const { visitor: member } = await openMember(site, true)
  await member.load(image)
  await member.untilStored([image])
  const { visitor: stranger, sockets } = await openMember(site, false)
  await expect.poll(() => site.count.requests(join)).toBe(2)
  expect((await stranger.load(image)).sha256).toBe(sha256Of(site.asset(image)))
  expect((await stranger.chunks(image)).every(({ source }) => source === 'origin')).toBe(true)
  expect([sockets, (await stranger.stats()).peers, site.count.requests(join)]).toEqual([[], [], 2])
})

test('a pass of the site’s own backend opens the sections that it names, and no others', async () => {
  const site = await openMembersSite()
  const { visitor: one } = await openMember(site, true)
  for (const path of [image, file]) await one.load(path)
  await one.untilStored([image, file])
  const { visitor: other } = await openMember(site, true)
  await other.connected()
  for (const path of [image, file]) expect((await other.load(path)).sha256).toBe(sha256Of(site.asset(path)))
  const sources = async (path: string) => new Set((await other.chunks(path)).map(({ source }) => source))
  await other.untilChunks(file, 1)
  expect([...(await sources(image))]).toContain('peer')
  expect([...(await sources(file))]).toEqual(['origin'])
})
