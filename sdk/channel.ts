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

export function channelOf(channel: RTCDataChannel): Channel {
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
      channel.addEventListener('open', () => events.opened())
      channel.addEventListener('bufferedamountlow', () => events.drained())
      channel.addEventListener('close', () => events.closed())
      channel.addEventListener('message', (event: MessageEvent<unknown>) => {
        // A text is no frame; the empty one is refused by the parser.
        events.received(event.data instanceof ArrayBuffer ? new Uint8Array(event.data) : new Uint8Array())
      })
      if (channel.readyState === 'open') queueMicrotask(() => events.opened())
    },
  }
}
