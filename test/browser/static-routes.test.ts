import { expect, test } from 'vitest'
import { useScene } from './harness/scene.ts'
import { openSite } from './harness/site.ts'
import { openVisitor } from './harness/visitor.ts'

const scene = useScene()

test('what no pattern names goes to the network without the worker, and what one names does not', async () => {
  const site = await openSite(scene)
  const visitor = await openVisitor(scene, site)
  await visitor.untilAnswering()
  const routed = ['/private/outside.png', '/nearhand-consent.js', '/.well-known/nearhand/fresh.json']
  const ours = ['/images/small.png', '/files/empty.bin']
  for (const path of [...routed, ...ours]) await visitor.load(path)
  const sources = await visitor.page.evaluate(
    (paths) => {
      return paths.map((path) => {
        const entry: object = performance.getEntriesByName(new URL(path, location.href).href).at(-1) ?? {}
        return 'workerMatchedSourceType' in entry ? entry.workerMatchedSourceType : 'unknown'
      })
    },
    [...routed, ...ours],
  )
  expect(sources).toEqual(['network', 'network', 'network', '', ''])
})
