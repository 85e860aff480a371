import { expect, test } from 'vitest'
import type { Circumstances } from '../../sdk/circumstances.ts'
import { Prefetch } from '../../sdk/prefetch.ts'
import { until } from '../fakes/clock.ts'
import { scene } from './nearhand-scene.ts'

function open(circumstances: Circumstances, prefetchUrls: readonly string[] = ['https://site.example/a.png']) {
  const asked: (readonly string[])[] = []
  const idle: (() => void)[] = []
  const page = { circumstances, prefetchUrls, whenIdle: (action: () => void) => void idle.push(action) }
  return { prefetch: new Prefetch(page, (urls) => asked.push(urls)), asked, idle }
}

test('Prefetch asks once, when the page is idle', () => {
  const { prefetch, asked, idle } = open({})
  prefetch.plan()
  prefetch.plan()
  expect([asked.length, idle.length]).toEqual([0, 1])
  idle[0]?.()
  expect(asked).toEqual([['https://site.example/a.png']])
})

test.each<[string, Circumstances, string[] | undefined]>([
  ['under Save-Data', { saveData: true }, undefined],
  ['on a mobile line', { type: 'cellular' }, undefined],
  ['of a page that names nothing', {}, []],
])('Prefetch asks for nothing %s', (_, circumstances, urls) => {
  const { prefetch, asked, idle } = open(circumstances, urls)
  prefetch.plan()
  idle[0]?.()
  expect(asked).toEqual([])
})

test('Nearhand has the origin asked for the next page only where the site says so', async () => {
  const prefetchUrls = ['https://site.example/a.png']
  const patient = scene({ prefetchUrls })
  patient.nearhand.start()
  const allowed = scene({ prefetchUrls, prefetch: 'origin' })
  allowed.nearhand.start()
  await until(() => allowed.happened.includes('nearhand:prefetch'))
  expect(patient.happened).not.toContain('nearhand:prefetch')
})
