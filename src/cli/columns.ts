export type Alignment = 'left' | 'right'

/** Rows laid out in columns, two blanks between them. `align` says how each column stands; the last given holds for the rest. */
export function columns(
  rows: readonly (readonly string[])[],
  align: readonly Alignment[] = ['left'],
): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0
        return (align[column] ?? align.at(-1)) === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join('  ')
      .trimEnd(),
  )
}
