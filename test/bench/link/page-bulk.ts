/// <reference lib="dom" />
import type { Timeline } from './timeline.ts'

const pieceBytes = 16 * 1024
/** What libraries allow a channel at most; many allow themselves more. */
const bufferedBytes = 1024 * 1024

/** Sends without end as soon as the other side asks, as fast as the channel's buffer has room. */
export function sendBulk(channel: RTCDataChannel): void {
  const piece = new Uint8Array(pieceBytes)
  const send = (): void => {
    while (channel.readyState === 'open' && channel.bufferedAmount < bufferedBytes) channel.send(piece)
  }
  channel.bufferedAmountLowThreshold = bufferedBytes / 2
  channel.addEventListener('bufferedamountlow', send)
  channel.addEventListener('message', send, { once: true })
}

export function receiveBulk(channel: RTCDataChannel, forMs: number): Promise<Timeline> {
  const startMs = performance.now()
  const timeline: [number, number][] = []
  let bytes = 0
  channel.binaryType = 'arraybuffer'
  channel.addEventListener('message', ({ data }: MessageEvent<ArrayBuffer>) => {
    bytes += data.byteLength
    timeline.push([performance.now() - startMs, bytes])
  })
  channel.send('go')
  return new Promise((resolve) => setTimeout(() => resolve(timeline), forMs))
}
