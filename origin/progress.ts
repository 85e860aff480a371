import type { CommandOutput } from './command.ts'
import type { PublishProgress } from './hash-assets.ts'

const lineMs = 100
const quarters = 4

interface Progress {
  readonly update: (progress: PublishProgress) => void
  readonly end: () => void
}

/**
 * Shows how far a run is: one line that changes on a terminal, else a line at each quarter.
 *
 * @param now milliseconds, from anywhere
 */
export function createProgress(output: CommandOutput, now: () => number): Progress {
  let shownAt = Number.NEGATIVE_INFINITY
  let quarter = 0
  let isOpen = false
  return {
    update(progress) {
      if (output.isTTY) {
        if (now() - shownAt < lineMs) return
        shownAt = now()
        isOpen = true
        output.write(`\r\u001B[K${describe(progress)}`)
      } else {
        const reached = Math.floor((progress.files * quarters) / Math.max(1, progress.totalFiles))
        if (reached > quarter) output.write(`${describe(progress)}\n`)
        quarter = Math.max(quarter, reached)
      }
    },
    end() {
      if (isOpen) output.write('\r\u001B[K')
      isOpen = false
    },
  }
}

/** Bytes for people, in steps of 1000. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB']
  let at = 0
  let value = bytes
  while (value >= 999.5 && at < units.length - 1) {
    value /= 1000
    at += 1
  }
  return `${at === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[at]}`
}

function describe({ files, totalFiles, bytes, totalBytes }: PublishProgress): string {
  return `Hashing: ${files} of ${totalFiles} files, ${formatBytes(bytes)} of ${formatBytes(totalBytes)}`
}
