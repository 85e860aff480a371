import type { Page } from 'playwright-core'

/*
 * What there is at best between two browsers: one ordered, reliable channel, written in messages of 64 KiB as fast as it
 * takes them, and bytes that nobody looks at.
 */

interface RawInPage {
  readonly connection: RTCPeerConnection
  readonly channel: RTCDataChannel
  readonly candidates: RTCIceCandidateInit[]
}

declare global {
  // oxlint-disable-next-line no-var
  var raw: RawInPage
}

/** Connects two pages, from which nothing else is asked in the meantime. */
export async function connectRaw(one: Page, other: Page): Promise<void> {
  for (const page of [one, other]) await page.evaluate(prepare)
  const offer = await one.evaluate(async () => {
    await raw.connection.setLocalDescription()
    return raw.connection.localDescription?.toJSON()
  })
  const answer = await other.evaluate(async (description) => {
    await raw.connection.setRemoteDescription(description as RTCSessionDescriptionInit)
    await raw.connection.setLocalDescription()
    return raw.connection.localDescription?.toJSON()
  }, offer)
  await one.evaluate(
    (description) => raw.connection.setRemoteDescription(description as RTCSessionDescriptionInit),
    answer,
  )
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    const candidates = await from.evaluate(untilGathered)
    await to.evaluate(async (all) => {
      for (const candidate of all) await raw.connection.addIceCandidate(candidate)
    }, candidates)
  }
  await one.evaluate(untilOpen)
  await other.evaluate(untilOpen)
}

/** Milliseconds from the receiver's word to its last byte. */
export async function transferRaw(sender: Page, receiver: Page, bytes: number): Promise<number> {
  const sent = sender.evaluate(send, bytes)
  await sender.evaluate(() => {}) // until it listens
  const ms = await receiver.evaluate(receive, bytes)
  await sent
  return ms
}

function prepare(): void {
  const connection = new RTCPeerConnection()
  const channel = connection.createDataChannel('raw', { negotiated: true, id: 0 })
  channel.binaryType = 'arraybuffer'
  const candidates: RTCIceCandidateInit[] = []
  connection.addEventListener('icecandidate', (event) => {
    if (event.candidate?.candidate) candidates.push(event.candidate.toJSON())
  })
  globalThis.raw = { connection, channel, candidates }
}

async function untilGathered(): Promise<RTCIceCandidateInit[]> {
  const { connection, candidates } = raw
  while (connection.iceGatheringState !== 'complete') {
    await new Promise((resolve) => connection.addEventListener('icegatheringstatechange', resolve, { once: true }))
  }
  return candidates
}

async function untilOpen(): Promise<void> {
  const { channel } = raw
  if (channel.readyState !== 'open') {
    await new Promise((resolve) => channel.addEventListener('open', resolve, { once: true }))
  }
}

async function send(bytes: number): Promise<void> {
  const { channel } = raw
  const messageBytes = 64 * 1024
  const highBytes = 1024 * 1024
  channel.bufferedAmountLowThreshold = 256 * 1024
  const message = new Uint8Array(messageBytes)
  await new Promise((resolve) => channel.addEventListener('message', resolve, { once: true }))
  for (let left = bytes; left > 0; left -= messageBytes) {
    if (channel.bufferedAmount > highBytes) {
      await new Promise((resolve) => channel.addEventListener('bufferedamountlow', resolve, { once: true }))
    }
    channel.send(left < messageBytes ? message.subarray(0, left) : message)
  }
}

async function receive(bytes: number): Promise<number> {
  const { channel } = raw
  const startMs = performance.now()
  let left = bytes
  const done = new Promise<void>((resolve) => {
    channel.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      left -= event.data.byteLength
      if (left <= 0) resolve()
    }
  })
  channel.send('go')
  await done
  channel.onmessage = null // oxlint-disable-line unicorn/prefer-add-event-listener
  return performance.now() - startMs
}
