import { describe, expect, test } from 'vitest'
import { failureFloor, failureRestMs } from '../../protocol/limits.ts'
import { ErrorBudget } from '../../sw/error-budget.ts'
import { MemoryDisk } from '../fakes/memory-disk.ts'
import { expectBody, image, liveSite, readyWorker } from './route-scene.ts'

function open(disk = new MemoryDisk(), time = { now: 1_800_000_000_000 }) {
  const reports: unknown[] = []
  const budget = new ErrorBudget(
    disk.state,
    () => time.now,
    (error) => void reports.push(error),
  )
  const happen = (answers: number, failures: number): void => {
    for (let at = 0; at < answers; at += 1) budget.answered()
    for (let at = 0; at < failures; at += 1) budget.failed()
  }
  return { budget, disk, time, reports, happen }
}

describe('ErrorBudget', () => {
  test.each<[number, number, boolean]>([
    [10, failureFloor - 1, false],
    [10, failureFloor, true],
    [10_000, 49, false],
    [10_000, 50, true],
  ])('of %i answers %i failures: spent is %s', (answers, failures, isSpent) => {
    const { budget, happen } = open()
    happen(answers, failures)
    expect([budget.isSpent, budget.failures]).toEqual([isSpent, failures])
  })

  test('rests for a session, also when the worker starts again', async () => {
    const { disk, time, happen, reports } = open()
    happen(1, failureFloor + 3)
    expect(reports, 'said once').toHaveLength(1)
    const later = open(disk, time).budget
    await later.load()
    expect(later.isSpent).toBe(true)
    time.now += failureRestMs
    expect(later.isSpent).toBe(false)
  })

  test.each(['x', -1, Number.MAX_SAFE_INTEGER, {}])('is not spent because a script wrote %j', async (value) => {
    const { budget, disk } = open()
    disk.values.set('spent', value)
    await budget.load()
    expect(budget.isSpent).toBe(false)
  })
})

describe('Route.answer() with a fault of ours', () => {
  test('gives the plain answer each time, and leaves the site alone after a few', async () => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    worker.manifests.find = () => Promise.reject(new TypeError('undefined is not a function'))
    for (let visit = 0; visit < failureFloor + 2; visit += 1) await expectBody(await worker.get('/image.jpg'), image)
    expect(worker.budget.isSpent).toBe(true)
    expect((await worker.traffic.totals()).requests, 'not even looked at').toBe(failureFloor)
  })

  test.each(['the origin is gone', 'the manifest is forged'])('does not count it where %s', async (way) => {
    const site = await liveSite()
    const worker = await readyWorker(site)
    site.intercept = (path) => {
      if (way === 'the origin is gone') return Promise.reject(new TypeError('Failed to fetch'))
      return path.includes('/parts/') ? new Response('forged') : undefined
    }
    for (let visit = 0; visit < failureFloor + 2; visit += 1) await worker.get('/image.jpg').catch(() => {})
    expect(worker.budget.failures).toBe(0)
  })
})
