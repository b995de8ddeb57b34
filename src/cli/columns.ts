/** Tables on a terminal. */

/**
 * Rows of as many cells, the first of them the heads, in lines whose columns are as wide as their longest cell.
 * @param isText Whether a column is words, which begin at the left; numbers end at the right. All are unless given.
 */
export function columns(
  rows: readonly (readonly string[])[],
  isText: (column: number) => boolean = () => true,
): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const cell = (text: string, n: number) => isText(n) ? text.padEnd(widths[n]) : text.padStart(widths[n]);
  return rows.map((row) => row.map(cell).join("  ").trimEnd());
}
