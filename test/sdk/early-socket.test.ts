import { expect, test } from 'vitest'
import { EarlySocket } from '../../sdk/early-socket.ts'
import type { SocketEvents } from '../../sdk/tracker-client.ts'
import { rest } from '../fakes/clock.ts'

function scene() {
  const opened: { events: SocketEvents; isClosed: boolean }[] = []
  const early = new EarlySocket((events) => {
    const socket = { events, isClosed: false }
    opened.push(socket)
    return {
      send() {},
      close() {
        socket.isClosed = true
        events.closed()
      },
    }
  })
  const heard: string[] = []
  const events: SocketEvents = {
    opened: () => heard.push('opened'),
    received: (text) => heard.push(text),
    closed: () => heard.push('closed'),
  }
  return { early, opened, heard, events }
}

test('EarlySocket tells in order what came before it was taken, and not while it is being taken', async () => {
  const { early, opened, heard, events } = scene()
  opened[0]?.events.opened()
  opened[0]?.events.received('welcome')
  early.take(events)
  expect(heard).toEqual([])
  await rest()
  opened[0]?.events.received('peers')
  expect(heard).toEqual(['opened', 'welcome', 'peers'])
  expect(opened).toHaveLength(1)
})

test('EarlySocket opens another one where the first was taken or lost', () => {
  const taken = scene()
  taken.early.take(taken.events)
  taken.early.take(taken.events)
  expect(taken.opened).toHaveLength(2)

  const lost = scene()
  lost.opened[0]?.events.closed()
  lost.early.take(lost.events)
  expect(lost.opened).toHaveLength(2)
})

test('EarlySocket is closed where nobody took it, or it says more than a tracker has to', () => {
  const left = scene()
  left.early.close()
  expect(left.opened[0]?.isClosed).toBe(true)

  const flooded = scene()
  for (let text = 0; text < 5; text += 1) flooded.opened[0]?.events.received('x')
  expect(flooded.opened[0]?.isClosed).toBe(true)

  const taken = scene()
  taken.early.take(taken.events)
  taken.early.close()
  expect(taken.opened[0]?.isClosed).toBe(false)
})
