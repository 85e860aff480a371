/** Lines of cells as text, each column as wide as its widest cell; the first columns, of words, begin at the left. */
export function align(lines: readonly (readonly string[])[], wordColumns = 1): string {
  const columns = Math.max(...lines.map((line) => line.length))
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)))
  const row = (line: readonly string[]): string =>
    line
      .map((cell, at) => (at < wordColumns ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
  return lines.map((line) => row(line).trimEnd()).join('\n')
}
