import { expect, test } from 'vitest'
import { sha256Of } from './harness/assets.ts'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openVisitor } from './harness/visitor.ts'

const scene = useScene()

test('what the filter does not name never reaches respondWith', async () => {
  const site = await openSite(scene)
  const visitor = await openVisitor(scene, site)
  const answered = (path: string, method = 'GET'): Promise<boolean> => visitor.isAnsweredByWorker(path, { method })

  expect(await answered('/images/large.png')).toBe(true)
  expect(await answered('/private/outside.png')).toBe(false)
  expect(await answered('/index.html')).toBe(false)
  expect(await answered('/images/large.png?version=2')).toBe(false)
  expect(await answered('/images/large.png', 'HEAD')).toBe(false)
  expect(await answered('/images/large.png', 'POST')).toBe(false)
})

test('a path that the filter names and the manifest does not list gets the plain fetch', async () => {
  const site = await openSite(scene)
  const visitor = await openVisitor(scene, site)
  const dynamic = new TextEncoder().encode('made at this very moment')
  site.answer('/images/made.png', () => new Response(dynamic, { status: 203, headers: { 'x-made': 'now' } }))

  const loaded = await visitor.load('/images/made.png')
  expect(loaded).toMatchObject({ status: 203, sha256: sha256Of(dynamic), headers: { 'x-made': 'now' } })
  expect((await visitor.load('/images/missing.png')).status).toBe(404)
  expect(await visitor.chunks('/images/made.png')).toEqual([])
})
