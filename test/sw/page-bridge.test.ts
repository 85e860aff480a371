import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WorkerToExchange } from '../../protocol/bridge.ts'
import type { Asset } from '../../protocol/chunks.ts'
import type { ContentId } from '../../protocol/ids.ts'
import { linkMemoryMs, linkWaitMs, portSilenceMs, readsInFlight, wordLimitBytes } from '../../protocol/limits.ts'
import { PageBridge } from '../../sw/page-bridge.ts'
import { FakeExchange } from '../fakes/fake-exchange.ts'

const id = 'a'.repeat(64) as ContentId
const asset: Asset = { path: '/a', section: '/', id, size: 100_000, chunkSize: 65_536, headers: [] }
const peer = 'b'.repeat(32)
const ask = { index: 1, length: 4, deadlineMs: 500, promptMs: 500, isUrgent: false }
/** Of one response; a new one for each test. */
let signal: AbortSignal
beforeEach(() => ({ signal } = new AbortController()))

function open(linkedAt?: number) {
  const locks = new Map<string, () => void>()
  const seen = {
    relinks: 0,
    duplicates: 0,
    saved: [] as number[],
    heard: [] as string[],
    passes: [] as string[],
    holders: [] as number[],
    locks,
  }
  const bridge = new PageBridge({
    now: () => Date.now(),
    askRelink: () => void (seen.relinks += 1),
    loadLinkedAt: () => Promise.resolve(linkedAt),
    saveLinkedAt: (at) => void seen.saved.push(at),
    untilFree: (lock) => new Promise((free) => seen.locks.set(lock, () => free(undefined))),
    onHolders: (_, holders) => void seen.holders.push(holders),
    onDuplicate: (bytes) => void (seen.duplicates += bytes),
    onHeard: (envelope) => void seen.heard.push(envelope),
    onPass: (pass) => void seen.passes.push(pass),
  })
  return { bridge, seen }
}

function linked(script: FakeExchange['script'] = () => undefined) {
  const { bridge, seen } = open()
  const exchange = new FakeExchange(script)
  bridge.link(exchange, 'page')
  return { bridge, seen, exchange }
}

const chunk = (request: number, length = 4) =>
  ({ type: 'chunk', request, peer, bytes: new Uint8Array(length).buffer }) as const

beforeEach(() => void vi.useFakeTimers({ now: 1_800_000_000_000 }))
afterEach(() => void vi.useRealTimers())

describe('PageBridge.read()', () => {
  test('gives what a peer sent, and blames it by its request', async () => {
    const { bridge, exchange } = linked()
    const reading = bridge.read(asset, ask, signal).answer
    const [asked] = exchange.asked('read')
    expect(asked).toEqual({ type: 'read', request: expect.any(Number), asset: id, section: '/', ...ask })
    const request = asked?.request ?? 0
    exchange.say(chunk(request))
    const answer = await reading
    expect(answer).toMatchObject({ peer, bytes: new Uint8Array(4) })
    if (typeof answer !== 'string') answer.blame()
    expect(exchange.asked('blame')).toEqual([{ type: 'blame', request, peer }])
  })

  test.each(['nobody', 'late', 'refused', 'stopped'] as const)('tells of a miss: %s', async (reason) => {
    const { bridge, exchange } = linked()
    const reading = bridge.read(asset, ask, signal).answer
    exchange.say({ type: 'miss', request: exchange.asked('read')[0]?.request, reason })
    expect(await reading).toBe(reason)
  })

  test('ends in silence a moment after its deadline, and drops an exchange that said nothing', async () => {
    const { bridge, exchange, seen } = linked()
    await vi.advanceTimersByTimeAsync(1)
    const reading = bridge.read(asset, ask, signal).answer
    await vi.advanceTimersByTimeAsync(ask.deadlineMs + portSilenceMs)
    expect(await reading).toBe('silence')
    expect([bridge.isLinked, exchange.isClosed, seen.relinks]).toEqual([false, true, 1])
    expect(exchange.asked('cancel')).toHaveLength(1)
    expect(await bridge.read(asset, ask, signal).answer, 'nothing waits any more').toBe('stopped')
  })

  test('hurries the exchange, and waits no longer than it may take then', async () => {
    const { bridge, exchange } = linked()
    await vi.advanceTimersByTimeAsync(1)
    const reading = bridge.read(asset, { ...ask, deadlineMs: 60_000 }, signal)
    reading.hurry(200)
    const request = exchange.asked('read')[0]?.request
    expect(exchange.asked('hurry')).toEqual([{ type: 'hurry', request, deadlineMs: 200 }])
    await vi.advanceTimersByTimeAsync(200 + portSilenceMs)
    expect(await reading.answer).toBe('silence')
    reading.hurry(200)
    expect(exchange.asked('hurry')).toHaveLength(1)
  })

  test('tells the exchange once that pages wait for something, a new one again, and when none does any more', () => {
    const { bridge, exchange } = linked()
    bridge.loads(true)
    bridge.loads(true)
    bridge.loads(false)
    expect(exchange.asked('loading')).toEqual([{ type: 'loading', isLoading: true }])
    const next = new FakeExchange()
    bridge.link(next, 'page')
    bridge.loads(false)
    expect(next.asked('loading').map(({ isLoading }) => isLoading)).toEqual([true, false])
  })

  test('keeps an exchange that spoke meanwhile', async () => {
    const { bridge, exchange } = linked()
    await vi.advanceTimersByTimeAsync(1)
    const reading = bridge.read(asset, ask, signal).answer
    await vi.advanceTimersByTimeAsync(1)
    exchange.say({ type: 'found', request: 999, holders: 1 })
    await vi.advanceTimersByTimeAsync(ask.deadlineMs + portSilenceMs)
    expect(await reading).toBe('silence')
    expect(bridge.isLinked).toBe(true)
  })

  test('counts what comes too late as doubled', async () => {
    const { bridge, exchange, seen } = linked()
    const controller = new AbortController()
    const reading = bridge.read(asset, ask, controller.signal).answer
    controller.abort()
    expect(await reading).toBe('stopped')
    const request = exchange.asked('read')[0]?.request ?? 0
    expect(exchange.asked('cancel')).toEqual([{ type: 'cancel', request }])
    exchange.say(chunk(request, 1000))
    exchange.say(chunk(request + 77, 10))
    expect(seen.duplicates).toBe(1010)
  })

  test('does not wait for more answers than its bound', async () => {
    const { bridge } = linked()
    const readings = Array.from(
      { length: readsInFlight + 1 },
      () => bridge.read(asset, ask, new AbortController().signal).answer,
    )
    expect(await readings.at(-1)).toBe('stopped')
  })

  test.each([undefined, null, 7, 'chunk', [], {}, { type: 'chunk' }, { type: 'chunk', request: 1, peer, bytes: 'x' }])(
    'is not disturbed by the message %j',
    async (message) => {
      const { bridge, exchange } = linked()
      const reading = bridge.read(asset, ask, signal).answer
      exchange.say(message)
      exchange.say(chunk(exchange.asked('read')[0]?.request ?? 0))
      expect(await reading).toMatchObject({ peer })
    },
  )

  test('ends at a new link, and hears the old one no more', async () => {
    const { bridge, exchange, seen } = linked()
    const reading = bridge.read(asset, ask, signal).answer
    bridge.link(new FakeExchange(), 'other page')
    expect(await reading).toBe('stopped')
    exchange.say(chunk(exchange.asked('read')[0]?.request ?? 0))
    expect(seen.duplicates).toBe(0)
    bridge.unlink('page')
    expect(bridge.isLinked, 'only its own page takes a link back').toBe(true)
    bridge.unlink('other page')
    expect(bridge.isLinked).toBe(false)
  })
})

describe('PageBridge.rule()', () => {
  test('asks for a link where a worker that was woken by the tracker’s word has none', () => {
    const { bridge, seen, exchange } = linked()
    const rule = { servesUntil: 0, off: ['/a/'], isCutOff: false, word: undefined, passes: undefined }
    bridge.rule(rule, 0)
    expect(seen.relinks).toBe(0)
    bridge.unlink('page')
    bridge.rule(rule, 0)
    expect([seen.relinks, exchange.asked('rule').length]).toEqual([1, 1])
  })

  test('tells the exchange what is believed, and hears what peers believe', () => {
    const { bridge, exchange, seen } = linked()
    const rule = { servesUntil: Date.now() + 1000, off: [], isCutOff: false, passes: undefined }
    bridge.rule({ ...rule, word: '{"a":1}' }, 0)
    bridge.rule({ ...rule, word: 'x'.repeat(wordLimitBytes + 1) }, 0)
    bridge.rule({ ...rule, word: undefined }, 0)
    expect(exchange.asked('word')).toEqual([{ type: 'word', envelope: '{"a":1}' }])
    expect(exchange.asked('rule').map(({ servesMs }) => servesMs)).toEqual([1000, 1000, 1000])
    exchange.say({ type: 'heard', envelope: '{"b":2}' })
    exchange.say({ type: 'heard', envelope: 'x'.repeat(wordLimitBytes + 1) })
    expect(seen.heard).toEqual(['{"b":2}'])
  })
})

describe('PageBridge.find()', () => {
  test('gives the number of holders, and none without an answer', async () => {
    const answer = (message: WorkerToExchange) =>
      'request' in message ? ({ type: 'found', request: message.request, holders: 3 } as const) : undefined
    expect(await linked(answer).bridge.find(asset, signal)).toBe(3)
    const silent = linked().bridge.find(asset, signal)
    await vi.advanceTimersByTimeAsync(portSilenceMs)
    expect(await silent).toBe(0)
    expect(await open().bridge.find(asset, signal)).toBe(0)
  })
})

describe('PageBridge.ready()', () => {
  test('waits for the page that was linked just before, until it links', async () => {
    const { bridge, seen } = open(Date.now() - 1000)
    const ready = bridge.ready()
    await vi.advanceTimersByTimeAsync(1)
    expect(seen.relinks).toBe(1)
    bridge.link(new FakeExchange(), 'page')
    await ready
    expect(vi.getTimerCount()).toBe(0)
  })

  test('waits for it only a moment, and only once', async () => {
    const { bridge } = open(Date.now() - 1000)
    const ready = bridge.ready()
    await vi.advanceTimersByTimeAsync(linkWaitMs)
    await ready
    await bridge.ready()
    expect(bridge.isLinked).toBe(false)
  })

  test.each([undefined, 0, 1_800_000_000_000 - linkMemoryMs - 1])(
    'does not wait where the last link was at %s',
    async (at) => {
      await open(at).bridge.ready()
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  test('remembers a link, and that it was taken back', () => {
    const { bridge, seen } = open()
    bridge.link(new FakeExchange(), 'page')
    bridge.unlink('page')
    expect(seen.saved).toEqual([Date.now(), 0])
  })
})

test('PageBridge lets go of an exchange whose lock is free, and of no other', async () => {
  const { bridge, seen } = open()
  bridge.link(new FakeExchange(() => undefined), 'crashed page', 'lock 1')
  const reading = bridge.read(asset, ask, signal).answer
  seen.locks.get('lock 1')?.()
  expect(await reading).toBe('stopped')
  expect(bridge.isLinked).toBe(false)

  bridge.link(new FakeExchange(() => undefined), 'page', 'lock 2')
  bridge.link(new FakeExchange(() => undefined), 'next page', 'lock 3')
  seen.locks.get('lock 2')?.()
  await Promise.resolve()
  expect(bridge.isLinked).toBe(true)
})
