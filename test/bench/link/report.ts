import type { LinkCase } from './cases.ts'
import { capacityOf } from './cases.ts'
import type { LabCount } from './lab.ts'
import type { Timeline } from './timeline.ts'
import { firstMegabyteMs, rateBetween } from './timeline.ts'

export type RunKind = 'ours' | 'tcp' | 'bulk'

/** One run of one kind. */
export interface RunRow {
  readonly kind: RunKind
  readonly bitsPerSecond: number
  readonly firstMegabyteMs: number | undefined
  /** What a ping took longer than an empty line's round trip: half of them, all but a hundredth, the worst. */
  readonly queueMs: number
  readonly queue99Ms: number
  readonly queueWorstMs: number
  /** Packets that the line's queue had no room for. */
  readonly dropped: number
  /** Packets that a browser was too busy to take. */
  readonly unread: number
  readonly misses: Readonly<Record<string, number>>
  readonly load: number
}

export interface CaseReport {
  readonly bitsPerSecond: Readonly<Record<RunKind, number>>
  /** Ours by TCP's, and by that of bulk. */
  readonly tcpShare: number
  readonly bulkShare: number
  /** Of what the lines carry, headers included. */
  readonly capacityShare: number
  readonly firstMegabyteMs: Readonly<Record<RunKind, number>>
  readonly firstMegabyteByTcp: number
  readonly queueMs: number
  readonly queue99Ms: number
  readonly queueWorstMs: number
  readonly runs: readonly RunRow[]
}

/** The time before says how it begins, not how fast it is. */
const settledMs = 2000

export function rowOf(
  kind: RunKind,
  linkCase: LinkCase,
  timeline: Timeline,
  count: LabCount,
  rest: Pick<RunRow, 'misses' | 'load'> & { readonly forMs: number },
): RunRow {
  const waits = count.pingUs.map((us) => us / 1000 - linkCase.roundTripMs).toSorted((one, other) => one - other)
  const at = (share: number): number =>
    round(waits[Math.min(waits.length - 1, Math.floor(waits.length * share))] ?? NaN)
  const pipes = Object.values(count.ends).flatMap(({ up, down }) => [up, down])
  return {
    kind,
    bitsPerSecond: Math.round(rateBetween(timeline, settledMs, rest.forMs)),
    firstMegabyteMs: firstMegabyteMs(timeline),
    queueMs: at(0.5),
    queue99Ms: at(0.99),
    queueWorstMs: at(1),
    dropped: pipes.reduce((sum, { dropped }) => sum + dropped, 0),
    unread: count.unread,
    misses: rest.misses,
    load: rest.load,
  }
}

export function reportOf(linkCase: LinkCase, runs: readonly RunRow[]): CaseReport {
  const ofKind = (kind: RunKind): readonly RunRow[] => runs.filter((run) => run.kind === kind)
  const rate = (kind: RunKind): number => median(ofKind(kind).map(({ bitsPerSecond }) => bitsPerSecond))
  const first = (kind: RunKind): number =>
    Math.round(median(ofKind(kind).map(({ firstMegabyteMs }) => firstMegabyteMs ?? Infinity)))
  const ours = ofKind('ours')
  return {
    bitsPerSecond: { ours: rate('ours'), tcp: rate('tcp'), bulk: rate('bulk') },
    tcpShare: round(rate('ours') / rate('tcp'), 100),
    bulkShare: round(rate('ours') / rate('bulk'), 100),
    capacityShare: round(rate('ours') / capacityOf(linkCase), 100),
    firstMegabyteMs: { ours: first('ours'), tcp: first('tcp'), bulk: first('bulk') },
    firstMegabyteByTcp: round(first('ours') / first('tcp'), 100),
    queueMs: median(ours.map(({ queueMs }) => queueMs)),
    queue99Ms: median(ours.map(({ queue99Ms }) => queue99Ms)),
    queueWorstMs: Math.max(...ours.map(({ queueWorstMs }) => queueWorstMs)),
    runs,
  }
}

const columns = [
  'case',
  'ours',
  'TCP',
  'bulk',
  'of TCP',
  'by bulk',
  '1st MiB',
  'TCP',
  'ping +',
  '99 %',
  'worst',
  'drops',
]

export function tableOf(reports: Readonly<Record<string, CaseReport>>): string {
  const rows = Object.entries(reports).map(([name, report]) => [
    name,
    ...(['ours', 'tcp', 'bulk'] as const).map((kind) => (report.bitsPerSecond[kind] / 1e6).toFixed(1)),
    report.tcpShare.toFixed(2),
    report.bulkShare.toFixed(1),
    String(report.firstMegabyteMs.ours),
    String(report.firstMegabyteMs.tcp),
    ...[report.queueMs, report.queue99Ms, report.queueWorstMs].map((ms) => ms.toFixed(0)),
    String(median(report.runs.filter(({ kind }) => kind === 'ours').map(({ dropped }) => dropped))),
  ])
  const lines = [columns, ...rows].map((cells) => cells.map((cell, at) => (at ? cell.padStart(8) : cell.padEnd(8))))
  return `${lines.map((cells) => cells.join(' ')).join('\n')}\nMbit/s, milliseconds, packets`
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN
}

function round(number: number, by = 10): number {
  return Math.round(number * by) / by
}
