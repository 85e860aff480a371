import type { Lab, PipeShape } from './lab.ts'
import { openPipe } from './lab.ts'

/** A line and who sends over it. End 0 reads, the others send. */
export interface LinkCase {
  readonly name: string
  readonly senders: number
  readonly roundTripMs: number
  readonly bitsPerSecond: number
  readonly queueBytes: number
  readonly lossShare: number
  /** Whether the senders share one line, the reader's, or each has one of its own. */
  readonly isShared: boolean
}

const near = { roundTripMs: 20, bitsPerSecond: 50_000_000, queueBytes: 256_000, lossShare: 0 }
const far = { ...near, roundTripMs: 50 }
const uplink = { roundTripMs: 40, bitsPerSecond: 10_000_000, queueBytes: 128_000, lossShare: 0 }
const lossy = { ...uplink, lossShare: 0.005 }

export const linkCases: readonly LinkCase[] = [
  { name: 'near', senders: 1, isShared: false, ...near },
  { name: 'far', senders: 1, isShared: false, ...far },
  { name: 'uplink', senders: 1, isShared: false, ...uplink },
  { name: 'lossy', senders: 1, isShared: false, ...lossy },
  { name: 'near4', senders: 4, isShared: true, ...near },
  { name: 'far4', senders: 4, isShared: true, ...far },
  { name: 'uplink4', senders: 4, isShared: false, ...uplink },
  { name: 'lossy4', senders: 4, isShared: false, ...lossy },
]

/** What the line carries, all senders together. */
export function capacityOf({ bitsPerSecond, senders, isShared }: LinkCase): number {
  return isShared ? bitsPerSecond : bitsPerSecond * senders
}

/** Makes the lines of a case, both ways alike but that nothing is lost on the way of the acknowledgements. */
export async function shapeCase(lab: Lab, linkCase: LinkCase, seed: number): Promise<void> {
  const { roundTripMs, bitsPerSecond, queueBytes, lossShare, isShared } = linkCase
  const delayed: PipeShape = { ...openPipe, delayMs: roundTripMs / 2 }
  const line: PipeShape = { ...openPipe, bitsPerSecond, queueBytes, lossShare }
  const [reader, ...senders] = lab.ends
  if (reader === undefined) return
  await lab.shape(reader.name, 'up', { ...delayed, bitsPerSecond, queueBytes })
  await lab.shape(reader.name, 'down', isShared ? line : openPipe)
  for (const { name } of senders) {
    await lab.shape(name, 'up', isShared ? delayed : { ...line, delayMs: roundTripMs / 2 })
    await lab.shape(name, 'down', openPipe)
  }
  await lab.seed(seed)
}
