import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openSeeder, openVisitor } from './harness/visitor.ts'

const scene = useScene()
const join = '/.well-known/nearhand/join'
const large = '/images/large.png'

test('disable() ends everything of ours on this device', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  await visitor.page.evaluate(() => nearhand.disable())
  expect(await visitor.registrations()).toBe(0)
  await visitor.goto('/')
  expect(await visitor.isAnsweredByWorker(large)).toBe(false)
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(await visitor.registrations(), 'it stays off').toBe(0)
})

test('?nearhand=off ends everything of ours on this device', async () => {
  const site = await openSite(scene)
  const visitor = await openSeeder(scene, site, [large])
  await visitor.goto('/?nearhand=off')
  await expect.poll(() => visitor.registrations()).toBe(0)
  await visitor.goto('/')
  expect(await visitor.isAnsweredByWorker(large)).toBe(false)
})

test('no RTCPeerConnection exists before consent, and one does after it', async () => {
  const site = await openSite(scene)
  await openSeeder(scene, site, [large])
  const seeders = site.count.requests(join)
  const visitor = await openVisitor(scene, site, {
    path: '/ask.html',
    initScript: () => {
      Object.assign(globalThis, { connectionsMade: 0 })
      globalThis.RTCPeerConnection = new Proxy(RTCPeerConnection, {
        construct(target, args) {
          Object.assign(globalThis, { connectionsMade: Number(Reflect.get(globalThis, 'connectionsMade')) + 1 })
          return Reflect.construct(target, args)
        },
      })
    },
  })
  const made = (): Promise<unknown> => visitor.page.evaluate(() => Reflect.get(globalThis, 'connectionsMade'))
  expect((await visitor.load(large)).sha256).toBe(sha256Of(site.asset(large)))
  expect(await made()).toBe(0)
  expect(site.count.requests(join)).toBe(seeders)
  await visitor.page.evaluate(() => nearhand.consent(true))
  await visitor.connected()
  expect(await made()).toBeGreaterThan(0)
})
