import { expect, test } from 'vitest'
import { openBrowser } from './harness/chromium.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openVisitor, Visitor } from './harness/visitor.ts'

/*
 * A browser gives up a media element whose ranges come partly from the network and partly from a worker. Each test has
 * one element whose requests could, and seeks in it.
 */
const scene = useScene()
const clip = '/media/clip.mp4'
const fresh = '/.well-known/nearhand/fresh.json'

/** Chunks of the clip that the worker gave. */
const ownResponses = (visitor: Visitor): Promise<number> => visitor.chunks(clip).then(({ length }) => length)

test('a film that began before there was a worker plays on when there is one', async () => {
  const site = await openSite(scene)
  const script = await (await fetch(`${site.url}/nearhand.js`)).text()
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  site.answer('/nearhand.js', async () => {
    await held
    return new Response(script, { headers: { 'content-type': 'text/javascript' } })
  })
  const visitor = new Visitor(await openBrowser(scene), site)
  await visitor.page.goto(site.url, { waitUntil: 'domcontentloaded' })
  await visitor.play(clip, 0)
  release()
  await visitor.untilControlled()
  await visitor.untilAnswering()
  await visitor.play(clip, 20)
  await visitor.play(clip, 5)
  expect(await ownResponses(visitor)).toBe(0)
})

test('a film that begins after the worker came is the worker’s, on the first page too', async () => {
  const site = await openSite(scene)
  const visitor = await openVisitor(scene, site)
  await visitor.untilAnswering()
  await visitor.play(clip, 0)
  await visitor.play(clip, 20)
  expect(await ownResponses(visitor)).toBeGreaterThan(0)
})

test.each(['lost', 'found'])('a film plays on when the manifest is %s meanwhile', async (way) => {
  const site = await openSite(scene)
  let isGood = way === 'lost'
  site.answer(fresh, async () =>
    isGood ? new Response(await site.signFresh(new Date(), 2)) : new Response('none', { status: 404 }),
  )
  const visitor = await openVisitor(scene, site)
  if (isGood) await visitor.untilAnswering()
  await visitor.play(clip, 0)
  isGood = !isGood
  const { fallbacks } = await visitor.stats()
  const isPlain = async (): Promise<boolean> => {
    await visitor.load('/images/small.png')
    return (await visitor.stats()).fallbacks > fallbacks
  }
  if (way === 'found') await visitor.untilAnswering()
  else await expect.poll(isPlain, { timeout: 20_000 }).toBe(true)
  await visitor.play(clip, 20)
  await visitor.play(clip, 5)
})
