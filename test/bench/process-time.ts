import { readdir, readFile } from 'node:fs/promises'

/** Linux counts in hundredths of a second, whatever its kernel's clock is (`man 5 proc`, `_SC_CLK_TCK`). */
const tickMs = 10

interface ProcessRow {
  readonly parent: number
  /** Of itself, and of those of its children that ended. */
  readonly ticks: number
}

/** Milliseconds of CPU that these processes and all below them have used so far, by /proc/<pid>/stat. */
export async function processTimeMs(roots: readonly number[]): Promise<number> {
  const rows = new Map<number, ProcessRow>()
  for (const name of await readdir('/proc')) {
    const pid = Number(name)
    const row = Number.isInteger(pid) ? await readRow(pid) : undefined
    if (row) rows.set(pid, row)
  }
  const isBelow = (pid: number): boolean => {
    const row = rows.get(pid)
    return row !== undefined && (roots.includes(pid) || isBelow(row.parent))
  }
  let ticks = 0
  for (const [pid, row] of rows) if (isBelow(pid)) ticks += row.ticks
  return ticks * tickMs
}

async function readRow(pid: number): Promise<ProcessRow | undefined> {
  // It may end in this moment.
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined)
  if (text === undefined) return undefined
  // The name in parentheses may hold anything; the fields after it begin with the third.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number): number => Number(fields[number - 3])
  return { parent: field(4), ticks: field(14) + field(15) + field(16) + field(17) }
}
