import type { Bytes } from '../../../protocol/bytes.ts'
import { encodeFrame } from '../../../protocol/peer-wire.ts'
import { noise } from './assets.ts'

/** What a hostile peer does to every want after the first chunk, which it serves as it should. */
export type Misdeed =
  | 'flipped bit'
  | "another asset's chunk"
  | 'truncated data'
  | 'over-long data'
  | 'unrequested data'
  | 'drip-fed chunk'
  | 'silence after the want'
  | 'absent though it claimed to have it'
  | 'garbage though it claimed to have it'
  | 'flood of malformed frames'

export interface Sending {
  readonly afterMs: number
  readonly frame: Uint8Array
}

export interface Asked {
  readonly request: number
  /** What an honest peer would send. */
  readonly truth: Bytes
  /** As many bytes, right ones, of another asset. */
  readonly foreign: Bytes
}

/** One piece after another, each soon enough to look alive, all of them together too late. */
const dripPauseMs = 400

export function answerOfHonest(asked: Asked): Sending {
  return { afterMs: 0, frame: dataFrame(asked.request, asked.truth) }
}

/** @param nth how many wants were answered by this misdeed before */
export function answerOf(misdeed: Misdeed, asked: Asked, nth: number): readonly Sending[] {
  const { request, truth, foreign } = asked
  const now = (frame: Uint8Array): readonly Sending[] => [{ afterMs: 0, frame }]
  switch (misdeed) {
    case 'flipped bit':
      return now(dataFrame(request, flipBit(truth)))
    case "another asset's chunk":
      return now(dataFrame(request, foreign))
    case 'truncated data':
      return now(dataFrame(request, truth.subarray(0, Math.max(1, truth.length - 7))))
    case 'over-long data':
      return now(dataFrame(request, new Uint8Array([...truth, 1, 2, 3, 4, 5, 6, 7])))
    case 'unrequested data':
      return Array.from({ length: 20 }, (_, at) => ({ afterMs: 0, frame: dataFrame(0x70000000 + at, truth) }))
    case 'drip-fed chunk':
      return [{ afterMs: dripPauseMs * (nth + 1), frame: dataFrame(request, truth) }]
    case 'silence after the want':
      return []
    case 'absent though it claimed to have it':
      return now(encodeFrame({ type: 'absent', request }))
    case 'garbage though it claimed to have it':
      return now(dataFrame(request, new Uint8Array(noise(truth.length, request))))
    case 'flood of malformed frames':
      return Array.from({ length: 500 }, (_, at) => ({ afterMs: 0, frame: noise(1 + (at % 300), at + 1) }))
  }
}

function dataFrame(request: number, bytes: Uint8Array): Bytes {
  return encodeFrame({ type: 'data', request, bytes })
}

function flipBit(bytes: Bytes): Bytes {
  const flipped = bytes.slice()
  const at = flipped.length >> 1
  flipped[at] = (flipped[at] ?? 0) ^ 1
  return flipped
}
