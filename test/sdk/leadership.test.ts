import { expect, test } from 'vitest'
import type { Locks } from '../../sdk/leadership.ts'
import { Leadership } from '../../sdk/leadership.ts'
import { FakeClock, rest } from '../fakes/clock.ts'

/** First come first served for each name, as the specification has it. */
class FakeLocks implements Locks {
  readonly #last = new Map<string, Promise<unknown>>()

  request(name: string, { signal }: { signal: AbortSignal }, granted: () => Promise<void>): Promise<unknown> {
    const turn = (this.#last.get(name) ?? Promise.resolve()).then(() => {
      signal.throwIfAborted()
      return granted()
    })
    this.#last.set(
      name,
      turn.catch(() => {}),
    )
    return turn
  }
}

/** The tabs of one site. `leading` names those that lead now. */
function scene(locks: Locks | undefined = new FakeLocks()) {
  const clock = new FakeClock()
  const leading = new Set<string>()
  const turns: string[] = []
  const tabs = new Map<string, Leadership>()
  const open = (name: string, isVisible: boolean): Leadership => {
    const tab = new Leadership({
      locks,
      base: '/',
      clock,
      tell(message) {
        for (const [other, one] of tabs) if (other !== name) queueMicrotask(() => one.hear(message))
      },
      lead() {
        leading.add(name)
        turns.push(name)
      },
      leave: () => leading.delete(name),
    })
    tabs.set(name, tab)
    tab.take(isVisible)
    return tab
  }
  /** Closed, crashed, or on its way to the next page. */
  const close = (name: string): void => {
    tabs.get(name)?.drop()
    tabs.delete(name)
    leading.delete(name)
  }
  return { clock, leading, turns, open, close }
}

test('Leadership makes one tab lead, and the next when it leaves', async () => {
  const { leading, open, close } = scene()
  for (const name of ['first', 'second', 'third']) open(name, true)
  await rest()
  expect([...leading]).toEqual(['first'])
  close('second')
  close('first')
  await rest()
  expect([...leading]).toEqual(['third'])
})

test('Leadership lets each tab lead where there are no locks, or none may be had', async () => {
  const { leading, open } = scene({
    request: () => Promise.reject(new DOMException('opaque origin', 'SecurityError')),
  })
  open('refused', true)
  await rest()
  expect([...leading]).toEqual(['refused'])

  const led: string[] = []
  const ports = { base: '/', clock: new FakeClock(), tell() {}, leave() {} }
  new Leadership({ ...ports, locks: undefined, lead: () => led.push('without') }).take(false)
  expect(led).toEqual(['without'])
})

test('Leadership has hidden tabs rest, so that the next page of the visible tab leads at once', async () => {
  const { clock, turns, open, close } = scene()
  open('page', true)
  for (const name of ['hidden', 'hidden too']) open(name, false)
  await rest()
  close('page')
  await rest()
  open('next page', true)
  await rest()
  await clock.advance(60_000)
  expect(turns).toEqual(['page', 'next page'])
})

test('Leadership falls to a hidden tab where no visible one is left', async () => {
  const { clock, leading, open, close } = scene()
  open('page', true)
  open('hidden', false)
  await rest()
  close('page')
  await rest()
  expect([...leading]).toEqual([])
  await clock.advance(3000)
  expect([...leading]).toEqual(['hidden'])
})

test('Leadership follows the visitor to another tab, once they stay there', async () => {
  const { clock, leading, turns, open } = scene()
  const one = open('one', true)
  const other = open('other', false)
  await rest()
  one.see(false)
  other.see(true)
  await clock.advance(1999)
  other.see(false)
  one.see(true)
  await clock.advance(60_000)
  expect(turns, 'a short look moves nothing').toEqual(['one'])
  one.see(false)
  other.see(true)
  await clock.advance(2000)
  expect([...leading]).toEqual(['other'])
  other.see(false)
  one.see(true)
  await clock.advance(2000)
  expect([...leading]).toEqual(['one'])
})

test('Leadership goes to a tab that was visible all along when the leader is hidden', async () => {
  const { clock, leading, open } = scene()
  const one = open('one', true)
  open('beside', true)
  await clock.advance(10_000)
  expect([...leading]).toEqual(['one'])
  one.see(false)
  await clock.advance(2000)
  expect([...leading]).toEqual(['beside'])
})

test('Leadership stays with a hidden tab that is the only one', async () => {
  const { clock, turns, open } = scene()
  const one = open('one', true)
  await rest()
  one.see(false)
  await clock.advance(60_000)
  expect(turns).toEqual(['one'])
})
