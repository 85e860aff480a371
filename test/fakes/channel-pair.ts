import type { Bytes } from '../../protocol/bytes.ts'
import type { Channel, ChannelEvents } from '../../sdk/channel.ts'

/** Where `send` throws in Chromium. */
const sendQueueBytes = 16_777_216

/** One end of a data channel in memory. Messages arrive in order, in a later microtask. */
export class FakeChannel implements Channel {
  bufferedAmount = 0
  isClosed = false
  /** The other side takes nothing: all that is sent stays here. */
  isStuck = false
  other: FakeChannel | undefined
  #events: ChannelEvents | undefined

  listen(events: ChannelEvents): void {
    this.#events = events
  }

  send(bytes: Bytes): void {
    if (this.isClosed) return
    if (this.bufferedAmount + bytes.length > sendQueueBytes) throw new Error('OperationError: the send queue is full')
    if (this.isStuck) {
      this.bufferedAmount += bytes.length
      return
    }
    const copy = bytes.slice()
    queueMicrotask(() => this.other?.deliver(copy))
  }

  close(): void {
    if (this.isClosed) return
    this.isClosed = true
    queueMicrotask(() => this.other?.end())
  }

  open(): void {
    this.#events?.opened()
  }

  /** Room again. */
  drain(): void {
    this.bufferedAmount = 0
    this.#events?.drained()
  }

  private deliver(bytes: Bytes): void {
    if (!this.isClosed) this.#events?.received(bytes)
  }

  private end(): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#events?.closed()
  }
}

/** Two ends that are connected but not open yet. */
export function createChannelPair(): readonly [FakeChannel, FakeChannel] {
  const one = new FakeChannel()
  const other = new FakeChannel()
  one.other = other
  other.other = one
  return [one, other]
}
