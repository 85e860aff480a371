import type { CaseName } from './slow-peers.ts'
import type { LoadKind, Visit } from './slow-visits.ts'
import { loadKinds } from './slow-visits.ts'
import type { Pair } from './statistics.ts'
import { percentile, percentileRatio, upperBound95 } from './statistics.ts'
import { align } from './table.ts'

/** One visit with us and the same one without. */
export interface Run {
  readonly withUs: Visit
  readonly withoutUs: Visit
}

export interface Figures {
  readonly p50WithMs: number
  readonly p95WithMs: number
  readonly p50WithoutMs: number
  readonly p95WithoutMs: number
  readonly p50Ratio: number
  readonly p95Ratio: number
  /** The 95 % bound of `p95Ratio`. */
  readonly upper95: number
}

export interface CaseReport extends Figures {
  readonly runs: number
  readonly loads: Readonly<Record<LoadKind, Figures>>
}

export const upperGoal = 1.08

export function ratioGoal(name: CaseName): number {
  return name === 'good' ? 1 : 1.03
}

/** All loads of the visits together, and each kind by itself. */
export function reportOfCase(runs: readonly Run[]): CaseReport {
  const of = (kinds: readonly LoadKind[]): Figures =>
    figuresOf(runs.map(({ withUs, withoutUs }) => kinds.map((kind) => pairOf(withUs[kind], withoutUs[kind]))))
  return {
    ...of(loadKinds),
    runs: runs.length,
    loads: { first: of(['first']), inserted: of(['inserted']), navigation: of(['navigation']) },
  }
}

export function tableOfCases(cases: ReadonlyMap<CaseName, CaseReport>): string {
  const head = ['', 'p50 with', 'without', 'ratio', 'p95 with', 'without', 'ratio', 'bound', 'goal', '']
  const lines = [...cases].flatMap(([name, report]) => [
    [...cells(`${name} peers`, report), `<= ${ratioGoal(name).toFixed(2)}, ${upperGoal}`, verdict(name, report)],
    ...loadKinds.map((kind) => cells(`  ${kind}`, report.loads[kind])),
  ])
  return align([head, ...lines])
}

function verdict(name: CaseName, { p95Ratio, upper95 }: Figures): string {
  return p95Ratio <= ratioGoal(name) && upper95 <= upperGoal ? 'met' : 'MISSED'
}

function cells(name: string, figures: Figures): string[] {
  const ms = (value: number): string => `${Math.round(value)} ms`
  const { p50WithMs, p50WithoutMs, p50Ratio, p95WithMs, p95WithoutMs, p95Ratio, upper95 } = figures
  const middle = [ms(p50WithMs), ms(p50WithoutMs), p50Ratio.toFixed(3)]
  return [name, ...middle, ms(p95WithMs), ms(p95WithoutMs), p95Ratio.toFixed(3), upper95.toFixed(3)]
}

function figuresOf(groups: readonly (readonly Pair[])[]): Figures {
  const pairs = groups.flat()
  const withUs = pairs.map((pair) => pair.withUs)
  const withoutUs = pairs.map((pair) => pair.withoutUs)
  return {
    p50WithMs: percentile(withUs, 0.5),
    p95WithMs: percentile(withUs, 0.95),
    p50WithoutMs: percentile(withoutUs, 0.5),
    p95WithoutMs: percentile(withoutUs, 0.95),
    p50Ratio: percentileRatio(pairs, 0.5),
    p95Ratio: percentileRatio(pairs, 0.95),
    upper95: upperBound95(groups, 0.95),
  }
}

function pairOf(withUs: number, withoutUs: number): Pair {
  return { withUs, withoutUs }
}
