import type { FallbackFigures, SmallFigures } from './path-alone.ts'
import type { FirstByteFigures } from './path-first-byte.ts'
import type { StallFigures } from './path-stall.ts'
import type { TransferFigures } from './path-transfer.ts'
import { align } from './table.ts'

export type PathFigures = TransferFigures & FirstByteFigures & FallbackFigures & SmallFigures & StallFigures

interface Goal {
  readonly key: keyof PathFigures
  readonly says: string
  readonly isMet: (value: number) => boolean
  readonly goal: string
}

const atMost = (key: keyof PathFigures, says: string, limit: number): Goal => ({
  key,
  says,
  isMet: (value) => value <= limit,
  goal: `<= ${limit}`,
})

const goals: readonly Goal[] = [
  {
    key: 'throughputRatio',
    says: 'bytes a second, through us against a raw channel',
    isMet: (value) => value >= 0.95,
    goal: '>= 0.95',
  },
  atMost('cpuRatio', 'CPU a byte, through us against a raw channel', 1.1),
  atMost('longTaskMs', 'longest task of a main thread while 50 MB arrive and are given (ms, 0: none over 50)', 0),
  atMost('firstByteMs', 'first verified byte of a warm peer (ms)', 15),
  atMost('afterStopMs', 'the same after the worker was stopped (ms)', 20),
  atMost('fallbackRatio', '10 MiB of the origin, with us against without', 1.03),
  atMost('notOursAddedMs', '1 KiB that is not ours: added (ms)', 0.5),
  atMost('storedRatio', '1 KiB of the store against HTTP', 1),
  atMost('stallMs', 'pause when the peer that gives is killed (ms)', 500),
]

/** Of the parts that were measured. */
export function tableOfFigures(figures: Partial<PathFigures>): string {
  const rows = goals.flatMap(({ key, says, isMet, goal }) => {
    const value = figures[key]
    return value === undefined ? [] : [[key, says, round(value), goal, isMet(value) ? 'met' : 'MISSED']]
  })
  return align([['key', '', 'measured', 'goal', ''], ...rows], 2)
}

function round(value: number): string {
  return value.toFixed(value < 20 ? 3 : 0)
}
