import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { PeerShape } from './sim-peer.ts'
import type { SimRequest, VisitResult } from './sim-visit.ts'
import { visitWithUs, visitWithoutUs } from './sim-visit.ts'

/*
 * Whole visits in time that a test moves: the shipped scheduler of the service worker, the shipped asking and giving
 * sides of the exchange, and lines with a rate and a delay between them.
 */
const origin = { bitsPerSecond: 20_000_000, roundTripMs: 60 }
const kib = 1024

const script = (size: number, atMs = 0): SimRequest => ({ destination: 'script', type: 'text/javascript', size, atMs })
const image = (size: number, atMs = 0): SimRequest => ({ destination: 'image', type: 'image/jpeg', size, atMs })
const page = [
  script(300 * kib),
  script(20 * kib),
  { destination: 'style', type: 'text/css', size: 60 * kib },
  { destination: 'font', type: 'font/woff2', size: 90 * kib },
  ...[231, 556, 477, 545, 281, 554, 334, 481, 547, 559, 426, 171].map((size) => image(size * kib, 50)),
] as const satisfies readonly SimRequest[]

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] }))
afterEach(() => void vi.useRealTimers())

/** Moves the time on until it is done. */
async function run<Result>(work: Promise<Result>): Promise<Result> {
  const state = { isDone: false }
  const done = (): void => void (state.isDone = true)
  work.then(done, done)
  for (let ms = 0; !state.isDone && ms < 60_000; ms += 5) await vi.advanceTimersByTimeAsync(5)
  return work
}

const many = (count: number, shape: Partial<PeerShape> = {}): PeerShape[] =>
  Array.from({ length: count }, () => ({ bitsPerSecond: 50_000_000, roundTripMs: 30, ...shape }))

async function compare(requests: readonly SimRequest[], peers: readonly PeerShape[], seed = 1) {
  const withoutUsMs = await run(visitWithoutUs(requests, origin))
  const withUs = await run(visitWithUs(requests, origin, peers, seed))
  return { ...withUs, ratio: withUs.finishedMs / withoutUsMs, withoutUsMs }
}

const film: SimRequest = { destination: '', type: 'video/mp4', size: 8 * 1024 * kib }
const offloadOf = ({ originBytes, pageBytes }: VisitResult): number => 1 - originBytes / pageBytes
const homeLine: Partial<PeerShape> = { bitsPerSecond: 10_000_000, roundTripMs: 40 }

describe('a visit is hardly ever slower than without us', { timeout: 60_000 }, () => {
  test.each<[string, PeerShape[], number, number]>([
    ['nobody', [], 1.01, 0],
    ['one good peer', many(1), 1, 0.7],
    ['four good peers', many(4), 1, 0.9],
    ['one peer of half the origin’s rate', many(1, homeLine), 1, 0.3],
    ['four such peers', many(4, homeLine), 1, 0.7],
    ['four slow peers', many(4, { bitsPerSecond: 200_000, roundTripMs: 60 }), 1.05, -0.05],
    ['four dead peers', many(4, { diesAtMs: 0 }), 1.05, -0.05],
    ['four liars', many(4, { lies: true }), 1.05, -0.05],
    ['four that die on the way', many(4, { ...homeLine, diesAtMs: 300 }), 1.03, 0.05],
    ['good and slow ones', [...many(2), ...many(4, { bitsPerSecond: 200_000 })], 1, 0.6],
  ])('with %s', async (_, peers, ratio, offload) => {
    for (const seed of [1, 2]) {
      const result = await compare(page, peers, seed)
      expect(result.ratio).toBeLessThanOrEqual(ratio)
      expect(offloadOf(result)).toBeGreaterThanOrEqual(offload)
    }
  })
})

test('peers that connect on the way take over what is still missing', { timeout: 60_000 }, async () => {
  const requests = [...page, film]
  const result = await compare(requests, many(2, { ...homeLine, fromMs: 800 }))
  // What the origin gives in 800 ms is a sixth of it.
  expect(offloadOf(result)).toBeGreaterThan(0.5)
  expect(result.ratio).toBeLessThan(1)
  expect(result.wasteBytes / result.pageBytes).toBeLessThan(0.06)
})

test('a page of nothing but text finds out that peers are sooner', { timeout: 60_000 }, async () => {
  const text = [300, 120, 80, 60, 200, 400, 350, 90].map((size, at) => script(size * kib, at * 30))
  const near = many(2, { roundTripMs: 4 })
  const result = await compare(text, near)
  expect(result.ratio).toBeLessThanOrEqual(1)
  expect(offloadOf(result)).toBeGreaterThan(0.5)
})

test.each([1, 2, 4])(
  'a download beside a page is no slower with %d peers at home',
  { timeout: 60_000 },
  async (count) => {
    const result = await compare([...page, film], many(count, homeLine))
    expect(result.ratio).toBeLessThanOrEqual(1.03)
    expect(offloadOf(result)).toBeGreaterThan(0.25)
  },
)

test('little is brought twice', { timeout: 60_000 }, async () => {
  for (const [peers, share] of [
    [many(1), 0.05],
    [many(4), 0.05],
    [many(4, homeLine), 0.06],
  ] as const) {
    const result = await compare(page, peers)
    expect(result.wasteBytes / result.pageBytes).toBeLessThanOrEqual(share)
  }
})

test('a download goes on within half a second where its peer says nothing any more', { timeout: 60_000 }, async () => {
  const [only] = many(1, { ...homeLine, diesAtMs: 2000 })
  if (only === undefined) throw new Error('Cannot begin: no peer')
  const alone = await run(visitWithUs([film], origin, [only]))
  expect(alone.peerBytes).toBeGreaterThan(1_000_000)
  expect(alone.stallMs).toBeLessThanOrEqual(500)
  const withAnother = await run(visitWithUs([film], origin, [only, ...many(1, homeLine)]))
  expect(withAnother.stallMs).toBeLessThanOrEqual(500)
})

test(
  'a download goes on within half a second where the origin hangs and peers have it',
  { timeout: 60_000 },
  async () => {
    const hanging = { ...origin, hangsAtMs: 1000 }
    const result = await run(visitWithUs([film], hanging, many(2, { ...homeLine, fromMs: 500 })))
    expect(result.finishedMs).toBeLessThan(10_000)
    expect(result.stallMs).toBeLessThanOrEqual(500)
  },
)
