import { loadavg } from 'node:os'
import type { LinkShape } from './shaped-link.ts'
import type { Setting, VisitRow } from './offload-visits.ts'
import { homeUplink } from './offload-visits.ts'
import { align } from './table.ts'

/** One setting, with us and without. */
export interface SettingResult {
  readonly setting: Setting
  readonly withUs: readonly VisitRow[]
  readonly withoutUs: readonly VisitRow[]
}

/** Sums of a setting. */
export interface SettingSums {
  readonly originBytes: number
  readonly ownFilesBytes: number
  readonly lineBytes: number
  readonly peerBytes: number
  readonly storeBytes: number
  readonly duplicateBytes: number
  readonly fallbacks: number
  readonly badChunks: number
  /** Of the same visits without us. */
  readonly originBytesWithout: number
  readonly ideal: number
  readonly offload: number
  readonly offloadOfIdeal: number
}

/** Least share of the ideal offload. */
const goals: Partial<Record<Setting, number>> = { warm: 0.95, later: 0.6 }

export function sumUp(result: SettingResult): SettingSums {
  const sum = (rows: readonly VisitRow[], key: keyof VisitRow) => rows.reduce((total, row) => total + row[key], 0)
  const { withUs, withoutUs } = result
  const originBytes = sum(withUs, 'originBytes')
  const originBytesWithout = sum(withoutUs, 'originBytes')
  const ideal = (withUs.length - 1) / withUs.length
  const offload = 1 - originBytes / originBytesWithout
  return {
    originBytes,
    ownFilesBytes: sum(withUs, 'ownFilesBytes'),
    lineBytes: sum(withUs, 'lineBytes'),
    peerBytes: sum(withUs, 'peerBytes'),
    storeBytes: sum(withUs, 'storeBytes'),
    duplicateBytes: sum(withUs, 'duplicateBytes'),
    fallbacks: sum(withUs, 'fallbacks'),
    badChunks: sum(withUs, 'badChunks'),
    originBytesWithout,
    ideal,
    offload,
    offloadOfIdeal: offload / ideal,
  }
}

const names: Record<Setting, string> = {
  first: 'First visit ever',
  later: 'Later page, worker installed, not connected yet',
  warm: 'Warm: connected before the assets are asked for',
  again: 'The same page again',
}

/** A table of one setting as text. */
export function tableOf(result: SettingResult): string {
  const sums = sumUp(result)
  const head = [
    'viewer',
    'origin',
    '(ours)',
    'peers',
    'store',
    'duplicates',
    'finished',
    'without us:',
    'origin',
    'finished',
  ]
  const lines = result.withUs.map((row, at) => {
    const without = result.withoutUs[at]
    return [
      String(row.viewer),
      megabytes(row.originBytes),
      megabytes(row.ownFilesBytes),
      megabytes(row.peerBytes),
      megabytes(row.storeBytes),
      megabytes(row.duplicateBytes),
      seconds(row.finishedMs),
      '',
      megabytes(without?.originBytes ?? 0),
      seconds(without?.finishedMs ?? 0),
    ]
  })
  const sumLine = [
    'sum',
    megabytes(sums.originBytes),
    megabytes(sums.ownFilesBytes),
    megabytes(sums.peerBytes),
    megabytes(sums.storeBytes),
    megabytes(sums.duplicateBytes),
    '',
    '',
    megabytes(sums.originBytesWithout),
    '',
  ]
  const faults =
    sums.fallbacks + sums.badChunks > 0 ? `, ${sums.fallbacks} fallbacks, ${sums.badChunks} bad chunks` : ''
  return `${names[result.setting]}: ${verdictOf(result.setting, sums)}${faults}\n${align([head, ...lines, sumLine])}\n`
}

function verdictOf(setting: Setting, sums: SettingSums): string {
  const { offload, ideal, offloadOfIdeal, originBytes, ownFilesBytes } = sums
  // Browsers without us have it in their cache as well: there is nothing to compare with, and nothing to be sent.
  if (setting === 'again') {
    const siteBytes = originBytes - ownFilesBytes
    return `${siteBytes} bytes of the site from the origin, goal 0: ${siteBytes === 0 ? 'met' : 'MISSED'}`
  }
  const goal = goals[setting]
  const isMet = goal !== undefined && offloadOfIdeal >= goal
  const verdict = goal === undefined ? '' : `, goal ${goal.toFixed(2)}: ${isMet ? 'met' : 'MISSED'}`
  return `offload ${percent(offload)}, ideal ${percent(ideal)}, ratio ${offloadOfIdeal.toFixed(3)}${verdict}`
}

/** What `--json` writes. The sums on top are those of the warm setting. */
export function reportOf(viewers: number, link: LinkShape, results: readonly SettingResult[]): Record<string, unknown> {
  const warm = results.find(({ setting }) => setting === 'warm')
  const sums = warm && sumUp(warm)
  return {
    viewers,
    originBytes: sums?.originBytes,
    peerBytes: sums?.peerBytes,
    storeBytes: sums?.storeBytes,
    duplicateBytes: sums?.duplicateBytes,
    ideal: sums?.ideal,
    offload: sums?.offload,
    offloadOfIdeal: sums?.offloadOfIdeal,
    link,
    uplink: homeUplink,
    load: loadavg(),
    settings: Object.fromEntries(
      results.map((result) => [
        result.setting,
        { ...sumUp(result), withUs: result.withUs, withoutUs: result.withoutUs },
      ]),
    ),
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}

function percent(fraction: number): string {
  return `${(fraction * 100).toFixed(1)} %`
}
