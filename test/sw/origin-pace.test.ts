import { expect, test } from 'vitest'
import { OriginPace } from '../../sw/origin-pace.ts'

function scene() {
  const clock = { now: 1000 }
  const pace = new OriginPace(() => clock.now)
  /** An answer after so long. */
  const open = (ms: number) =>
    pace.open(() => {
      clock.now += ms
      return Promise.resolve(new Response())
    })
  /** A piece of a body after so long. */
  const read = (bytes: number, ms: number, wireShare = 1) =>
    pace.measure(() => {
      clock.now += ms
      return Promise.resolve(new Uint8Array(bytes))
    }, wireShare)
  return { clock, pace, open, read }
}

test('OriginPace says when the origin alone would have it, all that pages wait for included', async () => {
  const { pace, open, read } = scene()
  await open(60)
  await read(1_000_000, 1000)
  expect(pace.dueMs(100_000)).toBe(160)
  const done = pace.waitFor(500_000)
  expect(pace.dueMs(100_000)).toBe(660)
  done()
  expect(pace.dueMs(100_000)).toBe(160)
})

test('OriginPace takes an origin that nobody measured for an ordinary one', () => {
  expect(scene().pace.dueMs(200_000)).toBe(200)
})

test('OriginPace goes by quick answers for what is usual, and by slow ones for what is long', async () => {
  const { pace, open } = scene()
  for (const ms of [50, 50, 400, 900]) await open(ms)
  expect([pace.latencyMs, pace.longLatencyMs]).toEqual([50, 900])
})

test('OriginPace measures the line, not what was unpacked', async () => {
  const { pace, open, read } = scene()
  await open(0)
  await read(4_000_000, 1000, 0.25)
  expect(pace.dueMs(1_000_000)).toBe(1000)
})

test('OriginPace does not count pauses in which nobody reads', async () => {
  const { clock, pace, open, read } = scene()
  await open(0)
  await read(500_000, 500)
  clock.now += 60_000
  await read(500_000, 500)
  expect(pace.dueMs(1_000_000)).toBe(1000)
})

test('OriginPace sees an origin that hangs, expects no less of it, and forgets when it gives again', async () => {
  const { clock, pace, open } = scene()
  await open(50)
  let answer: (response: Response) => void = () => {}
  const pending = pace.open(() => new Promise((resolve) => (answer = resolve)))
  expect(pace.isHanging).toBe(false)
  clock.now += 5000
  expect(pace.isHanging).toBe(true)
  expect(pace.dueMs(0)).toBe(5000)
  answer(new Response())
  await pending
  expect(pace.isHanging).toBe(false)
  expect(pace.dueMs(0)).toBe(50)
})
