import { expect, test } from 'vitest'
import { channelOf } from '../../sdk/channel.ts'

/** As much of the browser's class as `channelOf` touches. */
class FakeDataChannel extends EventTarget {
  binaryType = ''
  bufferedAmount = 0
  bufferedAmountLowThreshold = 0
  readyState = 'open'
}

function scene(act: (name: string, bytes?: Uint8Array) => void) {
  const made = new FakeDataChannel()
  const failures: unknown[] = []
  const channel = channelOf(made as unknown as RTCDataChannel, (error) => failures.push(error))
  channel.listen({
    opened: () => act('opened'),
    received: (bytes) => act('received', bytes),
    drained: () => act('drained'),
    closed: () => act('closed'),
  })
  return { made, failures }
}

test('channelOf() takes a text for an empty frame', () => {
  const got: unknown[] = []
  const { made } = scene((_, bytes) => got.push(bytes))
  made.dispatchEvent(new MessageEvent('message', { data: 'text' }))
  made.dispatchEvent(new MessageEvent('message', { data: Uint8Array.of(1, 2).buffer }))
  expect(got).toEqual([new Uint8Array(), Uint8Array.of(1, 2)])
})

test('channelOf() tells of what its listeners throw, and keeps it from the page', async () => {
  const { made, failures } = scene((name) => {
    throw new Error(name)
  })
  await Promise.resolve()
  for (const type of ['open', 'bufferedamountlow', 'close', 'message']) made.dispatchEvent(new MessageEvent(type))
  expect(failures.map(String)).toEqual(
    ['opened', 'opened', 'drained', 'closed', 'received'].map((name) => `Error: ${name}`),
  )
})
