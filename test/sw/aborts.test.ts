import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { Aborts } from '../../sw/aborts.ts'

test('Aborts calls what waits when its signal aborts, by one listener, and not what was taken back', () => {
  const aborts = new Aborts()
  const [one, other] = [new AbortController(), new AbortController()]
  const called: string[] = []
  aborts.on(one.signal, () => called.push('first'))
  aborts.on(one.signal, () => called.push('taken back'))()
  aborts.on(one.signal, () => called.push('second'))
  aborts.on(other.signal, () => called.push('of another'))
  expect(getEventListeners(one.signal, 'abort')).toHaveLength(1)
  one.abort()
  expect(called).toEqual(['first', 'second'])
})
