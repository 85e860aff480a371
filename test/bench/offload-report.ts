import type { LinkShape } from './shaped-link.ts'
import type { Setting, VisitRow } from './offload-visits.ts'

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
}

export function sumUp(result: SettingResult): SettingSums {
  const sum = (rows: readonly VisitRow[], key: keyof VisitRow) => rows.reduce((total, row) => total + row[key], 0)
  const { withUs, withoutUs } = result
  const originBytes = sum(withUs, 'originBytes')
  const originBytesWithout = sum(withoutUs, 'originBytes')
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
    ideal: (withUs.length - 1) / withUs.length,
    offload: 1 - originBytes / originBytesWithout,
  }
}

const names: Record<Setting, string> = {
  first: 'First visit ever',
  later: 'Later page, worker installed, not connected yet',
  warm: 'Warm: connected before the assets are asked for',
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
  const verdict = `offload ${percent(sums.offload)} of ideal ${percent(sums.ideal)}`
  const faults =
    sums.fallbacks + sums.badChunks > 0 ? `, ${sums.fallbacks} fallbacks, ${sums.badChunks} bad chunks` : ''
  return `${names[result.setting]}: ${verdict}${faults}\n${align([head, ...lines, sumLine])}\n`
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
    link,
    settings: Object.fromEntries(
      results.map((result) => [
        result.setting,
        { ...sumUp(result), withUs: result.withUs, withoutUs: result.withoutUs },
      ]),
    ),
  }
}

function align(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  return lines.map((line) => line.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('  ')).join('\n')
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
