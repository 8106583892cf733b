/** How the command line writes what it knows: rows in columns, things with their names before them, times. */

/** One line a row, each column as wide as its widest cell. */
export function inColumns(rows: readonly (readonly string[])[]): string {
  const widthOf = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const line = (row: readonly string[]): string => row.map((cell, column) => cell.padEnd(widthOf(column))).join('  ')
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('')
}

/** One line for each thing that is there: its name, and what it is. */
export function named(things: readonly (readonly [name: string, value: string | undefined])[]): string {
  const there = things.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [[`  ${name}`, value]]))
  return inColumns(there)
}

/** `2026-11-05 14:03:20 UTC`, or `-` for never. @param seconds since the epoch */
export function utc(seconds: number | undefined): string {
  if (seconds === undefined) return '-'
  return `${new Date(seconds * 1_000).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}
