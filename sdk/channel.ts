import type { Bytes } from '../protocol/bytes.ts'
import { bufferedLimitBytes } from '../protocol/limits.ts'

/** The part of a data channel that a session needs. */
export interface Channel {
  /** Bytes given to `send` that have not left. */
  readonly bufferedAmount: number
  /** Does nothing once the channel is closed. */
  send(bytes: Bytes): void
  close(): void
  /** Called once, in the task that made the channel known, so that no event is missed. */
  listen(events: ChannelEvents): void
}

export interface ChannelEvents {
  opened(): void
  received(bytes: Uint8Array): void
  /** `bufferedAmount` fell so far that more may be sent. */
  drained(): void
  closed(): void
}

/** @param failed told what an event's listener throws */
export function channelOf(channel: RTCDataChannel, failed: (error: unknown) => void): Channel {
  const guard = (action: () => void): void => {
    try {
      action()
    } catch (error) {
      failed(error)
    }
  }
  channel.binaryType = 'arraybuffer'
  channel.bufferedAmountLowThreshold = bufferedLimitBytes / 2
  return {
    get bufferedAmount() {
      return channel.bufferedAmount
    },
    send(bytes) {
      if (channel.readyState === 'open') channel.send(bytes)
    },
    close: () => channel.close(),
    listen(events) {
      channel.addEventListener('open', () => guard(() => events.opened()))
      channel.addEventListener('bufferedamountlow', () => guard(() => events.drained()))
      channel.addEventListener('close', () => guard(() => events.closed()))
      channel.addEventListener('message', (event: MessageEvent<unknown>) => {
        // A text is no frame; the empty one is refused by the parser.
        const bytes = event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array()
        guard(() => events.received(bytes))
      })
      if (channel.readyState === 'open') queueMicrotask(() => guard(() => events.opened()))
    },
  }
}
