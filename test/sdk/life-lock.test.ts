import { expect, test } from 'vitest'
import { holdLifeLock } from '../../sdk/life-lock.ts'
import { rest } from '../fakes/clock.ts'

test('holdLifeLock() tells the name of a lock that it holds until it is to end', async () => {
  const names: string[] = []
  let isHeld = false
  const leaving = new AbortController()
  const locks = {
    async request(name: string, _: object, granted: () => Promise<void>): Promise<void> {
      names.push(name)
      isHeld = true
      await granted()
      isHeld = false
    },
  }
  const name = await holdLifeLock(locks, '/shop/', leaving.signal)
  expect(names).toEqual([name])
  await rest()
  expect(isHeld).toBe(true)
  leaving.abort()
  await rest()
  expect(isHeld).toBe(false)
})

test('holdLifeLock() tells no name where there are no locks, or none may be had', async () => {
  const { signal } = new AbortController()
  expect(await holdLifeLock(undefined, '/', signal)).toBeUndefined()
  const refusing = { request: () => Promise.reject(new DOMException('opaque origin', 'SecurityError')) }
  expect(await holdLifeLock(refusing, '/', signal)).toBeUndefined()
})
