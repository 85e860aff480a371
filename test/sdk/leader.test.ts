import { expect, test } from 'vitest'
import { awaitLeadership } from '../../sdk/leader.ts'
import type { Locks } from '../../sdk/leader.ts'
import { rest } from '../fakes/clock.ts'

/** One lock, first come first served, as the specification has it. */
class FakeLocks implements Locks {
  #last: Promise<unknown> = Promise.resolve()

  request(_name: string, { signal }: { signal: AbortSignal }, granted: () => Promise<void>): Promise<unknown> {
    const turn = this.#last.then(() => {
      signal.throwIfAborted()
      return granted()
    })
    this.#last = turn.catch(() => {})
    return turn
  }
}

test('awaitLeadership() makes one tab lead, and the next when it leaves', async () => {
  const locks = new FakeLocks()
  const led: string[] = []
  const leaveFirst = awaitLeadership(locks, 'site', () => led.push('first'))
  const leaveSecond = awaitLeadership(locks, 'site', () => led.push('second'))
  awaitLeadership(locks, 'site', () => led.push('third'))
  await rest()
  expect(led).toEqual(['first'])
  leaveSecond()
  leaveFirst()
  await rest()
  expect(led).toEqual(['first', 'third'])
})

test('awaitLeadership() lets each tab lead where there are no locks, or none may be had', async () => {
  const led: string[] = []
  awaitLeadership(undefined, 'site', () => led.push('without'))
  const refusing = { request: () => Promise.reject(new DOMException('opaque origin', 'SecurityError')) }
  awaitLeadership(refusing, 'site', () => led.push('refused'))
  await rest()
  expect(led).toEqual(['without', 'refused'])
})
